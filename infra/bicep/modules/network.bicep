// The network of the apps, and, where storage, vault and registry are private, the names by which these
// are found inside it.

param environmentName string
param location string
param tags object
param privateNetwork bool

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
  'privatelink${environment().suffixes.acrLoginServer}'
  'privatelink.openai.azure.com'
]

resource guard 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-presswork-endpoints-${environmentName}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'apps'
        properties: {
          description: 'The apps, by TLS.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: '10.40.0.0/23'
          sourcePortRange: '*'
          destinationAddressPrefix: '10.40.2.0/24'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nobody-else'
        properties: {
          description: 'Nobody else, from inside the network either.'
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-presswork-${environmentName}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.40.0.0/16'] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: '10.40.0.0/23'
          delegations: [
            { name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
          // Without private endpoints the firewalls of storage and vault know the apps by this subnet.
          serviceEndpoints: privateNetwork ? [] : [
            { service: 'Microsoft.Storage' }
            { service: 'Microsoft.KeyVault' }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.40.2.0/24'
          networkSecurityGroup: { id: guard.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zones: if (privateNetwork) {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, i) in zones: if (privateNetwork) {
  parent: zone[i]
  name: 'presswork'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]

output appsSubnetId string = '${network.id}/subnets/apps'
output endpointSubnetId string = '${network.id}/subnets/endpoints'
@description('Zones of blob, queue, table, vault, registry and Azure OpenAI, in this order.')
output privateZoneIds array = [for name in zones: resourceId('Microsoft.Network/privateDnsZones', name)]
