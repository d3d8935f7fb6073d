// The registry of images. The apps may pull, and nobody has a password.

param name string
param location string
param tags object
param privateNetwork bool
param endpointSubnetId string
param privateZoneIds array
param pullerPrincipalIds array

var roles = {
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-11-01-preview' = {
  // checkov:skip=CKV_AZURE_139:Workflows push from runners without an address of their own; who pushes needs an identity with AcrPush.
  // checkov:skip=CKV_AZURE_163:Scanning is Defender for Containers, which is bought for a subscription and not for a registry.
  // checkov:skip=CKV_AZURE_166:Images come from one workflow, with provenance and SBOM, and are deployed by digest; a quarantine would need a third party to release them.
  name: name
  location: location
  tags: tags
  // Private endpoints need Premium.
  sku: { name: privateNetwork ? 'Premium' : 'Standard' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    dataEndpointEnabled: privateNetwork
    // Builds push from outside: the workflows of the repository have no address of their own.
    publicNetworkAccess: 'Enabled'
    zoneRedundancy: privateNetwork ? 'Enabled' : 'Disabled'
    policies: {
      azureADAuthenticationAsArmPolicy: { status: 'enabled' }
      retentionPolicy: privateNetwork ? { status: 'enabled', days: 30 } : { status: 'disabled' }
    }
  }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in pullerPrincipalIds: {
  scope: registry
  name: guid(registry.id, principalId, 'AcrPull')
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.AcrPull)
  }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = if (privateNetwork) {
  name: 'pe-${name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: endpointSubnetId }
    privateLinkServiceConnections: [
      { name: 'registry', properties: { privateLinkServiceId: registry.id, groupIds: ['registry'] } }
    ]
  }
}

resource endpointName 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = if (privateNetwork) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: 'registry', properties: { privateDnsZoneId: privateZoneIds[4] } }]
  }
}

output loginServer string = registry.properties.loginServer
