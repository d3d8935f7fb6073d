// Presswork in one resource group of Azure: storage, identities, secrets, the two apps and their
// scheduled jobs, events, alerts. Everything that differs between environments is a parameter.
targetScope = 'subscription'

@description('Short name of the environment; part of all names.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Azure region.')
param location string

@description('Tags of all resources.')
param tags object = {}

@description('Image of the apps, such as myregistry.azurecr.io/presswork@sha256:...; empty before the first build: then a placeholder runs, and no scheduled job.')
param image string = ''

@description('Object id of the group or user that operates this deployment; empty for none.')
param operatorPrincipalId string = ''

@description('Kind of that principal.')
@allowed(['Group', 'User', 'ServicePrincipal'])
param operatorPrincipalType string = 'Group'

// --- Storage ---

@description('Redundancy of the storage account; production is geo-redundant.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGRS', 'Standard_RAGZRS'])
param storageSku string = 'Standard_ZRS'

@description('Whether account keys may be used. The apps use identities; a connection string is for trials.')
param allowSharedKey bool = false

@description('Days after which jobs are gone; what is left in the containers of jobs a week later is deleted by the account itself.')
@minValue(1)
param retentionDays int = 30

// --- Network ---

@description('Whether storage, vault and registry are reached by private endpoints only.')
param privateNetwork bool = true

@description('Addresses (CIDR) that may reach storage and vault from outside, such as an operator; with private endpoints usually none.')
param allowedAddresses array = []

@description('Addresses (CIDR) that may reach the API; empty: everybody. With Front Door, Front Door alone.')
param apiAllowedAddresses array = []

// --- Apps ---

@description('Whether zones are spread over (needs a region with zones).')
param zoneRedundant bool = false

@description('Most replicas of the API; the least is one.')
param shimMaxReplicas int = 10

@description('Most workers; the least is none.')
param workerMaxReplicas int = 30

@description('Jobs in hand at once per worker: also the scale rule, one more worker for each such number of messages.')
param workerConcurrency int = 64

@description('Custom domain of the API (optional). Front Door has a certificate made for it; without Front Door its certificate must be in the environment of the apps.')
param customDomain string = ''

@description('Resource id of the certificate of the custom domain.')
param customDomainCertificateId string = ''

@description('Revision that keeps the traffic which the new one does not get; empty: all goes to the new one.')
param stableRevision string = ''

@description('Per cent of the traffic for the new revision, where there is a stable one.')
@minValue(0)
@maxValue(100)
param newRevisionShare int = 100

@description('Settings of both apps by the names of their variables, such as { CV_DELTA_MODE: \'1\' }.')
param settings object = {}

// --- Secrets ---

@description('Secrets to write to the vault, by name; those that are left out stay as they are.')
@secure()
param secretValues object = {}

@description('Secrets that are in the vault, or written now: the apps get these.')
param secretNames array = ['jwt-secret', 'openai-api-key']

@description('Now, in seconds since 1970; secrets that are written expire 90 days later.')
param now int = dateTimeToEpoch(utcNow())

@description('Whether nobody can delete the vault for good before 90 days are over, which nobody can undo either. Without it, 7 days, or at once by `az keyvault purge`: for what is made and taken down often.')
param purgeProtection bool = true

// --- Model ---

@description('Whether to make an Azure OpenAI account with one deployment, in place of an API key of OpenAI.')
param azureOpenAi bool = false

@description('Model of that deployment.')
param azureOpenAiModel string = 'gpt-5-mini'

@description('Version of that model.')
param azureOpenAiModelVersion string = '2025-08-07'

@description('Capacity of that deployment, in thousands of tokens a minute.')
param azureOpenAiCapacity int = 100

@description('What that model costs, in US dollars per million tokens of input, cached input and output: a budget counts by it.')
param azureOpenAiPrice string = '0.25/0.025/2'

// --- Watching ---

@description('Where alerts go.')
param alertEmail string

@description('Thresholds of the alerts that differ from their defaults, by name; see modules/monitor.bicep.')
param alertThresholds object = {}

@description('Budget of the resource group per month, in the currency of the subscription.')
param monthlyBudget int = 500

@description('First day of the month in which the budget was made, such as 2026-01-01: Azure refuses to change it later. Empty when it is made: this month.')
param budgetStart string = ''

@description('First day of this month.')
param thisMonth string = utcNow('yyyy-MM-01')

@description('Share of the traces that is kept.')
param traceSample string = '0.1'

@description('Whether Front Door with its firewall stands before the API, which then nobody reaches past it.')
param frontDoor bool = false

// With Azure OpenAI workers have its key, and none of OpenAI beside it.
var usedSecrets = azureOpenAi ? filter(secretNames, name => name != 'openai-api-key') : secretNames

// The provider answers with the name of the model, and is asked by that of the deployment.
var modelSettings = azureOpenAi ? {
  AZURE_OPENAI_ENDPOINT: openai!.outputs.endpoint
  AZURE_OPENAI_DEPLOYMENT: openai!.outputs.deployment
  PRESSWORK_MODEL__PRICES: '${openai!.outputs.deployment} ${azureOpenAiPrice}, ${azureOpenAiModel} ${azureOpenAiPrice}'
} : {}

var suffix = take(uniqueString(subscription().subscriptionId, environmentName, location), 8)
var allTags = union(tags, { 'azd-env-name': environmentName, application: 'presswork' })

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-presswork-${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
  }
}

module monitor 'modules/monitor.bicep' = {
  scope: group
  name: 'monitor'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
  }
}

module network 'modules/network.bicep' = {
  scope: group
  name: 'network'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    privateNetwork: privateNetwork
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'stpresswork${suffix}'
    location: location
    tags: allTags
    sku: storageSku
    allowSharedKey: allowSharedKey
    retentionDays: retentionDays
    privateNetwork: privateNetwork
    allowedAddresses: allowedAddresses
    endpointSubnetId: network.outputs.endpointSubnetId
    privateZoneIds: network.outputs.privateZoneIds
    shimPrincipalId: identity.outputs.shimPrincipalId
    workerPrincipalId: identity.outputs.workerPrincipalId
    reconcilePrincipalId: identity.outputs.reconcilePrincipalId
    retentionPrincipalId: identity.outputs.retentionPrincipalId
    exportPrincipalId: identity.outputs.exportPrincipalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    workspaceId: monitor.outputs.workspaceId
  }
}

module openai 'modules/openai.bicep' = if (azureOpenAi) {
  scope: group
  name: 'openai'
  params: {
    name: 'oai-presswork-${suffix}'
    location: location
    tags: allTags
    model: azureOpenAiModel
    modelVersion: azureOpenAiModelVersion
    capacity: azureOpenAiCapacity
    privateNetwork: privateNetwork
    endpointSubnetId: network.outputs.endpointSubnetId
    privateZoneIds: network.outputs.privateZoneIds
    workspaceId: monitor.outputs.workspaceId
  }
}

module keyvault 'modules/keyvault.bicep' = {
  scope: group
  name: 'keyvault'
  params: {
    name: 'kv-presswork-${suffix}'
    location: location
    tags: allTags
    values: secretValues
    names: usedSecrets
    purgeProtection: purgeProtection
    openAiName: azureOpenAi ? openai!.outputs.name : ''
    insightsName: monitor.outputs.insightsName
    expiresAt: now + 90 * 24 * 60 * 60
    privateNetwork: privateNetwork
    allowedAddresses: allowedAddresses
    endpointSubnetId: network.outputs.endpointSubnetId
    privateZoneIds: network.outputs.privateZoneIds
    shimPrincipalId: identity.outputs.shimPrincipalId
    workerPrincipalId: identity.outputs.workerPrincipalId
    jobPrincipalIds: [
      identity.outputs.reconcilePrincipalId
      identity.outputs.retentionPrincipalId
      identity.outputs.exportPrincipalId
    ]
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    workspaceId: monitor.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  scope: group
  name: 'registry'
  params: {
    name: 'crpresswork${suffix}'
    location: location
    tags: allTags
    privateNetwork: privateNetwork
    endpointSubnetId: network.outputs.endpointSubnetId
    privateZoneIds: network.outputs.privateZoneIds
    pullerPrincipalIds: [
      identity.outputs.shimPrincipalId
      identity.outputs.workerPrincipalId
      identity.outputs.reconcilePrincipalId
      identity.outputs.retentionPrincipalId
      identity.outputs.exportPrincipalId
    ]
  }
}

module apps 'modules/containerapps.bicep' = {
  scope: group
  name: 'apps'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    image: image
    registryServer: registry.outputs.loginServer
    appsSubnetId: network.outputs.appsSubnetId
    zoneRedundant: zoneRedundant
    workspaceName: monitor.outputs.workspaceName
    storageAccountName: storage.outputs.name
    shimIdentityId: identity.outputs.shimId
    shimClientId: identity.outputs.shimClientId
    workerIdentityId: identity.outputs.workerId
    workerClientId: identity.outputs.workerClientId
    vaultUri: keyvault.outputs.uri
    secretNames: keyvault.outputs.names
    settings: union({
      OTEL_TRACES_SAMPLER_ARG: traceSample
      PRESSWORK_RETENTION__JOBS: '${retentionDays}d'
      PRESSWORK_WORKER__CONCURRENCY: string(workerConcurrency)
    }, settings)
    modelSettings: modelSettings
    shimMaxReplicas: shimMaxReplicas
    workerMaxReplicas: workerMaxReplicas
    workerConcurrency: workerConcurrency
    customDomain: frontDoor ? '' : customDomain
    customDomainCertificateId: customDomainCertificateId
    allowedAddresses: apiAllowedAddresses
    frontDoor: frontDoor
    stableRevision: stableRevision
    newRevisionShare: newRevisionShare
  }
}

module jobs 'modules/jobs.bicep' = if (!empty(image)) {
  scope: group
  name: 'jobs'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    appsEnvironmentId: apps.outputs.environmentId
    image: image
    registryServer: registry.outputs.loginServer
    reconcileId: identity.outputs.reconcileId
    reconcileClientId: identity.outputs.reconcileClientId
    retentionId: identity.outputs.retentionId
    retentionClientId: identity.outputs.retentionClientId
    exportId: identity.outputs.exportId
    exportClientId: identity.outputs.exportClientId
    vaultUri: keyvault.outputs.uri
    settings: apps.outputs.settings
  }
}

module eventgrid 'modules/eventgrid.bicep' = {
  scope: group
  name: 'eventgrid'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    storageAccountName: storage.outputs.name
    deadLetterContainer: storage.outputs.eventDeadLetterContainer
    workspaceId: monitor.outputs.workspaceId
  }
}

module front 'modules/frontdoor.bicep' = if (frontDoor) {
  scope: group
  name: 'frontdoor'
  params: {
    environmentName: environmentName
    tags: allTags
    originHost: apps.outputs.shimHost
    appsEnvironmentId: apps.outputs.environmentId
    location: location
    customDomain: customDomain
    workspaceId: monitor.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    workspaceId: monitor.outputs.workspaceId
    insightsId: monitor.outputs.insightsId
    vaultName: keyvault.outputs.name
    email: alertEmail
    thresholds: alertThresholds
    endpoint: frontDoor ? front!.outputs.endpoint : apps.outputs.shimUrl
    monthlyBudget: monthlyBudget
    budgetStart: empty(budgetStart) ? thisMonth : budgetStart
  }
}

@description('Where `azd deploy` pushes images to.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output AZURE_RESOURCE_GROUP string = group.name
output API_URL string = frontDoor ? front!.outputs.endpoint : apps.outputs.shimUrl
output STORAGE_ACCOUNT string = storage.outputs.name
output KEY_VAULT string = keyvault.outputs.name
