// Who the apps are: one identity each, so that each holds the roles of its own work only. The scheduled
// jobs are workers.

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

output shimId string = shim.id
output shimClientId string = shim.properties.clientId
output shimPrincipalId string = shim.properties.principalId
output workerId string = worker.id
output workerClientId string = worker.properties.clientId
output workerPrincipalId string = worker.properties.principalId
