// The storage account: all queues, tables and containers of the code (a test compares them with its
// names), who may do what to each, and how long what stays.

param name string
param location string
param tags object
param sku string
param allowSharedKey bool
param retentionDays int
param privateNetwork bool
param allowedAddresses array
param endpointSubnetId string
param privateZoneIds array
param shimPrincipalId string
param workerPrincipalId string
param reconcilePrincipalId string
param retentionPrincipalId string
param exportPrincipalId string
param operatorPrincipalId string
param operatorPrincipalType string
param workspaceId string
@description('Days that the exports of each night are kept.')
@minValue(2)
param exportDays int = 14

var queueNames = [
  'jobs'
  'jobs-poison'
  'notifications'
  'notifications-poison'
  'webhook-deadletter'
  'doctor'
]

var tableNames = [
  'jobs'
  'tenants'
  'cvsessions'
  'webhooks'
]

var containerNames = [
  'job-inputs'
  'model-replies'
  'cv-pdfs'
  'job-documents'
  'cv-sessions'
  'cv-photos'
  'exports'
]

// Containers whose blobs belong to jobs: what a lost sweep has left there goes by age.
var jobContainers = [
  'job-inputs'
  'model-replies'
  'cv-pdfs'
  'job-documents'
]

// Where the paths begin with a tenant: what the apps work on.
var tenantContainers = [
  'job-inputs'
  'model-replies'
  'cv-pdfs'
  'job-documents'
  'cv-sessions'
  'cv-photos'
]

// Rows of all tables, written each night.
var exports = 'exports'

// Event Grid's own: events that it could not deliver. No program of ours reads it.
var eventDeadLetters = 'event-dead-letters'

// The ids are Azure's own, the same in every subscription.
var roles = {
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Queue Data Message Sender': 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  'Storage Queue Data Reader': '19e7f393-937e-4f77-808e-94535e297925'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Storage Table Data Reader': '76199698-9eea-4c19-bc75-cec21354c6b6'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
}

// The shim puts messages and never takes one. It asks how full queues are.
// A worker takes, extends and deletes messages of its two queues (extending needs Contributor), and
// sets others aside.
var queueGrants = [
  { queue: 'jobs', principalId: shimPrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'notifications', principalId: shimPrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'jobs', principalId: workerPrincipalId, role: 'Storage Queue Data Contributor' }
  { queue: 'notifications', principalId: workerPrincipalId, role: 'Storage Queue Data Contributor' }
  { queue: 'jobs-poison', principalId: workerPrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'notifications-poison', principalId: workerPrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'webhook-deadletter', principalId: workerPrincipalId, role: 'Storage Queue Data Message Sender' }
  // The reconciler puts back what is stranded, and tells how old and how long both queues are.
  { queue: 'jobs', principalId: reconcilePrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'notifications', principalId: reconcilePrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'jobs', principalId: reconcilePrincipalId, role: 'Storage Queue Data Reader' }
  { queue: 'notifications', principalId: reconcilePrincipalId, role: 'Storage Queue Data Reader' }
  // The retention tells of sessions that have expired. It asks at its start whether there is a queue.
  { queue: 'notifications', principalId: retentionPrincipalId, role: 'Storage Queue Data Message Sender' }
  { queue: 'jobs', principalId: retentionPrincipalId, role: 'Storage Queue Data Reader' }
]

var accountGrants = [
  { principalId: shimPrincipalId, role: 'Storage Queue Data Reader' }
  { principalId: shimPrincipalId, role: 'Storage Table Data Contributor' }
  { principalId: workerPrincipalId, role: 'Storage Queue Data Reader' }
  { principalId: workerPrincipalId, role: 'Storage Table Data Contributor' }
  { principalId: reconcilePrincipalId, role: 'Storage Table Data Contributor' }
  { principalId: retentionPrincipalId, role: 'Storage Table Data Contributor' }
  // The export changes no row.
  { principalId: exportPrincipalId, role: 'Storage Table Data Reader' }
]

// Beside the containers that an app works on. The reconciler looks whether a reply has come.
var containerGrants = [
  { container: 'model-replies', principalId: reconcilePrincipalId, role: 'Storage Blob Data Reader' }
  { container: 'cv-pdfs', principalId: reconcilePrincipalId, role: 'Storage Blob Data Reader' }
  { container: 'exports', principalId: exportPrincipalId, role: 'Storage Blob Data Contributor' }
]

var operatorRoles = [
  'Storage Queue Data Contributor'
  'Storage Table Data Contributor'
  'Storage Blob Data Contributor'
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  // checkov:skip=CKV_AZURE_59:Its firewall denies everybody who is not named; switched off altogether, Event Grid could not write to the queue either.
  // checkov:skip=CKV_AZURE_206:Replication is a parameter: geo-redundant in production, local in development.
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: allowSharedKey
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // With the firewall below: nobody but private endpoints, or the subnet of the apps, the addresses
    // that are named, and Event Grid. `Disabled` would shut out Event Grid too.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      // Event Grid writes to the queue, and monitoring reads logs, as trusted services.
      bypass: 'AzureServices, Logging, Metrics'
      defaultAction: 'Deny'
      ipRules: [for address in allowedAddresses: { value: address, action: 'Allow' }]
      virtualNetworkRules: privateNetwork ? [] : [
        { id: replace(endpointSubnetId, '/subnets/endpoints', '/subnets/apps'), action: 'Allow' }
      ]
    }
    sasPolicy: { sasExpirationPeriod: '0.01:00:00', expirationAction: 'Log' }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true, keyType: 'Account' }
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [for container in containerNames: {
  parent: blobs
  name: container
  properties: { publicAccess: 'None' }
}]

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: eventDeadLetters
  properties: { publicAccess: 'None' }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [for queue in queueNames: {
  parent: queues
  name: queue
}]

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [for table in tableNames: {
  parent: tables
  name: table
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = {
  parent: account
  name: 'default'
  dependsOn: [blobs]
  properties: {
    policy: {
      rules: [
        {
          name: 'blobs-of-jobs'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: [for container in jobContainers: '${container}/']
            }
            // The program deletes them after retentionDays; a week later whatever it has missed.
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: retentionDays + 7 } } }
          }
        }
        {
          name: 'old-versions'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'] }
            // What a person has erased must be gone. A version that this rule deletes is soft-deleted, for
            // 7 days more, so a day is enough: nine days after its deletion nothing is left of a blob.
            actions: {
              version: { delete: { daysAfterCreationGreaterThan: 1 } }
              snapshot: { delete: { daysAfterCreationGreaterThan: 1 } }
            }
          }
        }
        {
          name: 'event-dead-letters'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['${eventDeadLetters}/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
          }
        }
        {
          name: 'exports'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${exports}/'] }
            // They hold rows of people who have been erased since.
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: exportDays } } }
          }
        }
      ]
    }
  }
}

resource queueGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in queueGrants: {
  scope: queue[indexOf(queueNames, grant.queue)]
  name: guid(account.id, grant.queue, grant.principalId, grant.role)
  properties: {
    principalId: grant.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
  }
}]

resource accountGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in accountGrants: {
  scope: account
  name: guid(account.id, grant.principalId, grant.role)
  properties: {
    principalId: grant.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
  }
}]

resource containerGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in containerGrants: {
  scope: container[indexOf(containerNames, grant.container)]
  name: guid(account.id, grant.container, grant.principalId, grant.role)
  properties: {
    principalId: grant.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
  }
}]

// These three read, write and delete in each container of tenants, and nowhere else.
resource shimBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for name in tenantContainers: {
  scope: container[indexOf(containerNames, name)]
  name: guid(account.id, name, shimPrincipalId, 'blobs')
  properties: {
    principalId: shimPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}]

resource workerBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for name in tenantContainers: {
  scope: container[indexOf(containerNames, name)]
  name: guid(account.id, name, workerPrincipalId, 'blobs')
  properties: {
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}]

resource retentionBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for name in tenantContainers: {
  scope: container[indexOf(containerNames, name)]
  name: guid(account.id, name, retentionPrincipalId, 'blobs')
  properties: {
    principalId: retentionPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}]

resource operatorGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in operatorRoles: if (!empty(operatorPrincipalId)) {
  scope: account
  name: guid(account.id, operatorPrincipalId, role)
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role])
  }
}]

var services = ['blob', 'queue', 'table']

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [for service in services: if (privateNetwork) {
  name: 'pe-${name}-${service}'
  location: location
  tags: tags
  properties: {
    subnet: { id: endpointSubnetId }
    privateLinkServiceConnections: [
      {
        name: service
        properties: { privateLinkServiceId: account.id, groupIds: [service] }
      }
    ]
  }
}]

resource endpointName 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (service, i) in services: if (privateNetwork) {
  parent: endpoint[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      { name: service, properties: { privateDnsZoneId: privateZoneIds[i] } }
    ]
  }
}]

// Who read, wrote and deleted what. Names of blobs hold ids only.
resource blobLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'log'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queues
  name: 'log'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource tableLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tables
  name: 'log'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

output name string = account.name
output eventDeadLetterContainer string = deadLetters.name
