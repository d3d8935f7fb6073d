// The API and the workers.

param environmentName string
param location string
param tags object
param image string
param registryServer string
param appsSubnetId string
param zoneRedundant bool
param workspaceName string
param storageAccountName string
param shimIdentityId string
param shimClientId string
param workerIdentityId string
param workerClientId string
param vaultUri string
param secretNames array
@description('Settings of all programs, by the names of their variables.')
param settings object
@description('Settings of the workers alone: the model, whose key nobody else has.')
param modelSettings object
param shimMaxReplicas int
param workerMaxReplicas int
param workerConcurrency int
param customDomain string
param customDomainCertificateId string
param allowedAddresses array
@description('Whether the API is reached through Front Door alone.')
param frontDoor bool
param stableRevision string
param newRevisionShare int

// Which variable each secret of the vault becomes, in the app that may read it.
var shimSecretVariables = {
  applicationinsights: 'APPLICATIONINSIGHTS_CONNECTION_STRING' // checkov:skip=CKV_SECRET_6:The name of a secret and of its variable, not its value.
  'event-grid-secret': 'PRESSWORK_WEBHOOKS__EVENT_GRID_SECRET' // checkov:skip=CKV_SECRET_6:The name of a secret and of its variable, not its value.
  'jwt-secret': 'JWT_SECRET_KEY' // checkov:skip=CKV_SECRET_6:The name of a secret and of its variable, not its value.
  'openai-webhook-secret': 'OPENAI_WEBHOOK_SECRET' // checkov:skip=CKV_SECRET_6:The name of a secret and of its variable, not its value.
}
var workerSecretVariables = {
  applicationinsights: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
  'azure-openai-key': 'AZURE_OPENAI_KEY'
  'openai-api-key': 'OPENAI_API_KEY'
}
var shimReadable = ['applicationinsights', 'event-grid-secret', 'jwt-secret', 'openai-webhook-secret']
var shimSecretNames = intersection(shimReadable, secretNames)
var workerReadable = ['applicationinsights', 'azure-openai-key', 'openai-api-key']
var workerSecretNames = intersection(workerReadable, secretNames)

var shimSecrets = [for name in shimSecretNames: {
  name: name
  keyVaultUrl: '${vaultUri}secrets/${name}'
  identity: shimIdentityId
}]
var workerSecrets = [for name in workerSecretNames: {
  name: name
  keyVaultUrl: '${vaultUri}secrets/${name}'
  identity: workerIdentityId
}]

var both = union({
  ENVIRONMENT: environmentName
  LOG_FORMAT: 'json'
  AZURE_STORAGE_ACCOUNT_NAME: storageAccountName
  PRESSWORK_STORAGE__BACKEND: 'azure'
  PRESSWORK_STORAGE__AZURE__CREDENTIAL: 'managed_identity'
  // Event Grid tells of new PDFs.
  PRESSWORK_STORAGE__AZURE__EMIT_EVENTS: 'off'
}, settings)

var shimSettings = union(both, {
  AZURE_CLIENT_ID: shimClientId
  PRESSWORK_SERVER__LISTEN: '0.0.0.0:8080'
  PRESSWORK_AUTH__ANONYMOUS: 'off'
  // The firewall of the account lets no caller in, by a signed URL either: the API sends results itself.
  PRESSWORK_STORAGE__AZURE__SIGNED_URLS: 'off'
  // Who called is told by Front Door to the ingress, and by the ingress to us.
  PRESSWORK_LIMITS__PROXY_HOPS: frontDoor ? '2' : '1'
  PRESSWORK_HTTP__HSTS: '365d'
})

var workerSettings = union(both, {
  AZURE_CLIENT_ID: workerClientId
  PRESSWORK_WORKER__REPLICAS: string(workerMaxReplicas)
  PRESSWORK_WORKER__SHUTDOWN_GRACE: '110s'
  PRESSWORK_TELEMETRY__METRICS_LISTEN: '0.0.0.0:9464'
}, modelSettings)

var shimPlain = [for item in items(shimSettings): { name: item.key, value: string(item.value) }]
var shimHidden = [for name in shimSecretNames: { name: shimSecretVariables[name], secretRef: name }]
var shimVariables = concat(shimPlain, shimHidden)
var workerPlain = [for item in items(workerSettings): { name: item.key, value: string(item.value) }]
var workerHidden = [for name in workerSecretNames: { name: workerSecretVariables[name], secretRef: name }]
var workerVariables = concat(workerPlain, workerHidden)

var placeholder = 'mcr.microsoft.com/k8se/quickstart:latest'
var runs = empty(image) ? placeholder : image

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource appsEnvironment 'Microsoft.App/managedEnvironments@2024-10-02-preview' = {
  name: 'cae-presswork-${environmentName}'
  location: location
  tags: tags
  properties: {
    zoneRedundant: zoneRedundant
    publicNetworkAccess: frontDoor ? 'Disabled' : 'Enabled'
    vnetConfiguration: { infrastructureSubnetId: appsSubnetId, internal: false }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    peerTrafficConfiguration: { encryption: { enabled: true } }
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: workspace.properties.customerId
        sharedKey: workspace.listKeys().primarySharedKey
      }
    }
  }
}

resource shim 'Microsoft.App/containerApps@2024-10-02-preview' = {
  name: 'ca-presswork-shim-${environmentName}'
  location: location
  // The name of the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api-shim' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${shimIdentityId}': {} } }
  properties: {
    environmentId: appsEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // Several revisions at once, so that a new one can get its traffic bit by bit.
      activeRevisionsMode: 'Multiple'
      maxInactiveRevisions: 10
      registries: [{ server: registryServer, identity: shimIdentityId }]
      secrets: shimSecrets
      ingress: {
        external: true
        allowInsecure: false
        targetPort: 8080
        transport: 'auto'
        clientCertificateMode: 'ignore'
        ipSecurityRestrictions: [for (address, i) in allowedAddresses: {
          name: 'allowed-${i}'
          action: 'Allow'
          ipAddressRange: address
        }]
        customDomains: empty(customDomain) ? [] : [
          { name: customDomain, certificateId: customDomainCertificateId, bindingType: 'SniEnabled' }
        ]
        traffic: empty(stableRevision) ? [
          { latestRevision: true, weight: 100 }
        ] : [
          { revisionName: stableRevision, label: 'stable', weight: 100 - newRevisionShare }
          { latestRevision: true, weight: newRevisionShare }
        ]
      }
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'api-shim'
          image: runs
          command: empty(image) ? null : ['api-shim']
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: shimVariables
          probes: empty(image) ? [] : [
            { type: 'Startup', httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 2, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 5 }
            { type: 'Readiness', httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 5 }
          ]
          volumeMounts: [{ volumeName: 'tmp', mountPath: '/tmp' }]
        }
      ]
      volumes: [{ name: 'tmp', storageType: 'EmptyDir' }]
      scale: {
        minReplicas: 1
        maxReplicas: shimMaxReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '100' } } }]
      }
    }
  }
}

resource worker 'Microsoft.App/containerApps@2024-10-02-preview' = {
  name: 'ca-presswork-worker-${environmentName}'
  location: location
  tags: union(tags, { 'azd-service-name': 'worker' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${workerIdentityId}': {} } }
  properties: {
    environmentId: appsEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // No ingress: a worker is asked by queues only. An old revision finishes what it has paid for.
      activeRevisionsMode: 'Single'
      registries: [{ server: registryServer, identity: workerIdentityId }]
      secrets: workerSecrets
    }
    template: {
      // A little more than PRESSWORK_WORKER__SHUTDOWN_GRACE, so that the program ends by itself.
      terminationGracePeriodSeconds: 120
      containers: [
        {
          name: 'worker'
          image: runs
          command: empty(image) ? null : ['worker']
          resources: { cpu: json('1.0'), memory: '2Gi' }
          env: workerVariables
          probes: empty(image) ? [] : [
            { type: 'Liveness', httpGet: { path: '/metrics', port: 9464 }, periodSeconds: 30, timeoutSeconds: 5 }
          ]
          volumeMounts: [{ volumeName: 'tmp', mountPath: '/tmp' }]
        }
      ]
      volumes: [{ name: 'tmp', storageType: 'EmptyDir' }]
      scale: {
        minReplicas: 0
        maxReplicas: workerMaxReplicas
        pollingInterval: 10
        cooldownPeriod: 300
        rules: [
          {
            name: 'jobs'
            custom: {
              type: 'azure-queue'
              identity: workerIdentityId
              metadata: {
                accountName: storageAccountName
                cloud: 'AzurePublicCloud'
                queueName: 'jobs'
                queueLength: string(workerConcurrency)
                // Hidden messages count too: a worker that has its hands full is not taken away.
                queueLengthStrategy: 'all'
              }
            }
          }
          {
            name: 'notifications'
            custom: {
              type: 'azure-queue'
              identity: workerIdentityId
              metadata: {
                accountName: storageAccountName
                cloud: 'AzurePublicCloud'
                queueName: 'notifications'
                queueLength: '256'
                queueLengthStrategy: 'all'
              }
            }
          }
        ]
      }
    }
  }
}

output environmentId string = appsEnvironment.id
output shimHost string = shim.properties.configuration.ingress.fqdn
output shimUrl string = 'https://${empty(customDomain) ? shim.properties.configuration.ingress.fqdn : customDomain}'
output settings object = both
