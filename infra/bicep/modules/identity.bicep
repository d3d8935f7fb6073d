// Who the programs are: one identity for each app and each scheduled job, so that each holds the roles
// of its own work only.

param environmentName string
param location string
param tags object

resource shim 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-presswork-shim-${environmentName}'
  location: location
  tags: tags
}

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-presswork-worker-${environmentName}'
  location: location
  tags: tags
}

resource reconcile 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-presswork-reconcile-${environmentName}'
  location: location
  tags: tags
}

resource retention 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-presswork-retention-${environmentName}'
  location: location
  tags: tags
}

resource export 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-presswork-export-${environmentName}'
  location: location
  tags: tags
}

output shimId string = shim.id
output shimClientId string = shim.properties.clientId
output shimPrincipalId string = shim.properties.principalId
output workerId string = worker.id
output workerClientId string = worker.properties.clientId
output workerPrincipalId string = worker.properties.principalId
output reconcileId string = reconcile.id
output reconcileClientId string = reconcile.properties.clientId
output reconcilePrincipalId string = reconcile.properties.principalId
output retentionId string = retention.id
output retentionClientId string = retention.properties.clientId
output retentionPrincipalId string = retention.properties.principalId
output exportId string = export.id
output exportClientId string = export.properties.clientId
output exportPrincipalId string = export.properties.principalId
