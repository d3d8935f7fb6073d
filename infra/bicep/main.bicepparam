// What `azd` deploys: a development environment, small and cheap. The other environments have files of
// their own beside this one, for `az deployment sub create`.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param operatorPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorPrincipalType = 'User'
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', 'operators@example.com')

// Set by `azd deploy`; both services are one image.
param image = readEnvironmentVariable('SERVICE_WORKER_IMAGE_NAME', '')

param storageSku = 'Standard_LRS'
// From a developer's machine, so not by private endpoints.
param privateNetwork = false
param allowedAddresses = empty(readEnvironmentVariable('DEVELOPER_ADDRESS', '')) ? [] : [
  readEnvironmentVariable('DEVELOPER_ADDRESS', '')
]
param retentionDays = 7
// `azd down --purge` and `azd up` again: the name of the vault is free at once.
param purgeProtection = false
param shimMaxReplicas = 2
param workerMaxReplicas = 3
param workerConcurrency = 16
param monthlyBudget = 50
param budgetStart = readEnvironmentVariable('BUDGET_START', '')
param traceSample = '1'

// From the environment of `azd`, so that no file holds them. Without a key of a model there is none to
// put in the vault, and jobs are edited offline.
var modelKey = readEnvironmentVariable('MODEL_KEY', '')
param secretValues = union(
  { 'jwt-secret': readEnvironmentVariable('JWT_SECRET') },
  empty(modelKey) ? {} : { 'openai-api-key': modelKey })
param secretNames = union(['jwt-secret'], empty(modelKey) ? [] : ['openai-api-key'])
param settings = empty(modelKey) ? { CV_EDITOR: 'offline' } : {}
