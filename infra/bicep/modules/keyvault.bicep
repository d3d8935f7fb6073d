// The vault: each secret expires after 90 days, and each app reads its own ones only.

param name string
param location string
param tags object
@secure()
param values object
param names array
@description('Azure OpenAI account whose key becomes the secret azure-openai-key; empty for none.')
param openAiName string
@description('Whether the vault cannot be deleted for good before its 90 days are over.')
param purgeProtection bool
param insightsName string
@description('When secrets that are written now expire, in seconds since 1970.')
param expiresAt int
param privateNetwork bool
param allowedAddresses array
param endpointSubnetId string
param privateZoneIds array
param shimPrincipalId string
param workerPrincipalId string
@description('The scheduled jobs: they send telemetry and read no other secret.')
param jobPrincipalIds array
param operatorPrincipalId string
param operatorPrincipalType string
param workspaceId string

var roles = {
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
}

// The shim never holds the key of the model, and a worker never one that makes callers' tokens.
var ofShim = ['applicationinsights', 'event-grid-secret', 'jwt-secret', 'openai-webhook-secret']
var ofWorker = ['applicationinsights', 'azure-openai-key', 'openai-api-key']

var made = union(['applicationinsights'], empty(openAiName) ? [] : ['azure-openai-key'])
var all = union(names, made)
var shimNames = intersection(ofShim, all)
var workerNames = intersection(ofWorker, all)

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // checkov:skip=CKV_AZURE_42:Soft delete is always on; purge protection is a parameter, on but in development.
    // checkov:skip=CKV_AZURE_110:A parameter, on but in development, where it would hold the name for 90 days after each `azd down`.
    // checkov:skip=CKV_AZURE_189:Public access is off in private networks, and else open to named addresses and the subnet of the apps alone.
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: purgeProtection ? 90 : 7
    // Azure takes no `false`: it is on, or was never set.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: privateNetwork && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      // For Azure Resource Manager, which deploys secrets as a trusted service. Container Apps is none: it
      // fetches references to secrets by the private endpoint, or from the subnet of the apps.
      bypass: 'AzureServices'
      defaultAction: 'Deny'
      ipRules: [for address in allowedAddresses: { value: address }]
      virtualNetworkRules: privateNetwork ? [] : [
        { id: replace(endpointSubnetId, '/subnets/endpoints', '/subnets/apps') }
      ]
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource openAi 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = if (!empty(openAiName)) {
  name: empty(openAiName) ? 'none' : openAiName
}

@batchSize(1)
resource given 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = [for secret in names: if (contains(values, secret)) {
  parent: vault
  name: secret
  properties: {
    value: contains(values, secret) ? values[secret] : ''
    contentType: 'text/plain'
    attributes: { enabled: true, exp: expiresAt }
  }
}]

resource insightsSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'applicationinsights'
  properties: {
    value: insights.properties.ConnectionString
    contentType: 'text/plain'
    attributes: { enabled: true, exp: expiresAt }
  }
}

resource openAiSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(openAiName)) {
  // checkov:skip=CKV_AZURE_41:It is set below; checkov does not look into conditional resources.
  // checkov:skip=CKV_AZURE_114:It is set below; checkov does not look into conditional resources.
  parent: vault
  name: 'azure-openai-key'
  properties: {
    value: openAi.listKeys().key1
    contentType: 'text/plain'
    attributes: { enabled: true, exp: expiresAt }
  }
}

resource shimSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = [for secret in shimNames: {
  parent: vault
  name: secret
}]

resource workerSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = [for secret in workerNames: {
  parent: vault
  name: secret
}]

resource shimGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (secret, i) in shimNames: {
  scope: shimSecret[i]
  name: guid(vault.id, secret, shimPrincipalId)
  dependsOn: [given, insightsSecret, openAiSecret]
  properties: {
    principalId: shimPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
  }
}]

resource workerGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (secret, i) in workerNames: {
  scope: workerSecret[i]
  name: guid(vault.id, secret, workerPrincipalId)
  dependsOn: [given, insightsSecret, openAiSecret]
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
  }
}]

resource jobGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in jobPrincipalIds: {
  scope: insightsSecret
  name: guid(vault.id, 'applicationinsights', principalId)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets User'])
  }
}]

resource operatorGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  scope: vault
  name: guid(vault.id, operatorPrincipalId)
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Key Vault Secrets Officer'])
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = if (privateNetwork) {
  name: 'pe-${name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: endpointSubnetId }
    privateLinkServiceConnections: [
      { name: 'vault', properties: { privateLinkServiceId: vault.id, groupIds: ['vault'] } }
    ]
  }
}

resource endpointName 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = if (privateNetwork) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: 'vault', properties: { privateDnsZoneId: privateZoneIds[3] } }]
  }
}

resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'log'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

output name string = vault.name
output uri string = vault.properties.vaultUri
output names array = all
