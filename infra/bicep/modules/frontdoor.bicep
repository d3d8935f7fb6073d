// Front Door with its firewall before the API (optional).

param environmentName string
param tags object
@description('Host name of the API in Container Apps.')
param originHost string
@description('The environment of Container Apps, which answers Front Door alone: by a private link, which a person approves once.')
param appsEnvironmentId string
param location string
@description('Domain of the API; empty for none.')
param customDomain string
param workspaceId string

resource profile 'Microsoft.Cdn/profiles@2024-09-01' = {
  name: 'afd-presswork-${environmentName}'
  location: 'global'
  tags: tags
  // The managed rule sets of the firewall need Premium.
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: { originResponseTimeoutSeconds: 120 }
}

resource endpointOf 'Microsoft.Cdn/profiles/afdEndpoints@2024-09-01' = {
  parent: profile
  name: 'presswork-${environmentName}'
  location: 'global'
  tags: tags
  properties: { enabledState: 'Enabled' }
}

resource origins 'Microsoft.Cdn/profiles/originGroups@2024-09-01' = {
  parent: profile
  name: 'api'
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 50 }
    healthProbeSettings: { probePath: '/readyz', probeProtocol: 'Https', probeRequestType: 'GET', probeIntervalInSeconds: 60 }
    sessionAffinityState: 'Disabled'
  }
}

resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2024-09-01' = {
  parent: origins
  name: 'container-apps'
  properties: {
    hostName: originHost
    originHostHeader: originHost
    httpsPort: 443
    priority: 1
    weight: 1000
    enabledState: 'Enabled'
    enforceCertificateNameCheck: true
    sharedPrivateLinkResource: {
      privateLink: { id: appsEnvironmentId }
      privateLinkLocation: location
      groupId: 'managedEnvironments'
      requestMessage: 'Front Door of Presswork ${environmentName}'
    }
  }
}

resource domain 'Microsoft.Cdn/profiles/customDomains@2024-09-01' = if (!empty(customDomain)) {
  parent: profile
  name: empty(customDomain) ? 'none' : replace(customDomain, '.', '-')
  properties: {
    hostName: customDomain
    tlsSettings: { certificateType: 'ManagedCertificate', minimumTlsVersion: 'TLS12' }
  }
}

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-09-01' = {
  parent: endpointOf
  name: 'all'
  dependsOn: [origin]
  properties: {
    originGroup: { id: origins.id }
    customDomains: empty(customDomain) ? [] : [{ id: domain.id }]
    supportedProtocols: ['Https']
    httpsRedirect: 'Disabled'
    patternsToMatch: ['/*']
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    enabledState: 'Enabled'
    // No cacheConfiguration: answers belong to one caller.
  }
}

resource firewall 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2024-02-01' = {
  name: 'wafpresswork${replace(environmentName, '-', '')}'
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: {
    policySettings: { enabledState: 'Enabled', mode: 'Prevention', requestBodyCheck: 'Enabled' }
    managedRules: {
      managedRuleSets: [
        {
          ruleSetType: 'Microsoft_DefaultRuleSet'
          ruleSetVersion: '2.1'
          ruleSetAction: 'Block'
          // A CV may well say "select" and "union": what it says is text here and no command.
          exclusions: [
            { matchVariable: 'RequestBodyJsonArgNames', selectorMatchOperator: 'EqualsAny', selector: '*' }
            { matchVariable: 'RequestBodyPostArgNames', selectorMatchOperator: 'EqualsAny', selector: '*' }
          ]
        }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1', ruleSetAction: 'Block' }
      ]
    }
    customRules: {
      rules: [
        {
          name: 'flood'
          priority: 10
          enabledState: 'Enabled'
          ruleType: 'RateLimitRule'
          rateLimitDurationInMinutes: 1
          rateLimitThreshold: 1200
          matchConditions: [
            { matchVariable: 'SocketAddr', operator: 'IPMatch', negateCondition: true, matchValue: ['192.0.2.0/24'] }
          ]
          action: 'Block'
        }
      ]
    }
  }
}

resource guarded 'Microsoft.Cdn/profiles/securityPolicies@2024-09-01' = {
  parent: profile
  name: 'firewall'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: { id: firewall.id }
      associations: [{ domains: concat([{ id: endpointOf.id }], empty(customDomain) ? [] : [{ id: domain.id }]), patternsToMatch: ['/*'] }]
    }
  }
}

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: profile
  name: 'log'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FrontDoorWebApplicationFirewallLog', enabled: true }]
  }
}

output endpoint string = 'https://${empty(customDomain) ? endpointOf.properties.hostName : customDomain}'
