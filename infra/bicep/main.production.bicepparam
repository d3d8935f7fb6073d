// Production: geo-redundant, over zones, private, behind Front Door.
using 'main.bicep'

param environmentName = 'production'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param operatorPrincipalId = readEnvironmentVariable('OPERATOR_GROUP_ID', '')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', 'operators@example.com')
param image = readEnvironmentVariable('IMAGE', '')
param stableRevision = readEnvironmentVariable('STABLE_REVISION', '')
param newRevisionShare = int(readEnvironmentVariable('NEW_REVISION_SHARE', '100'))
param customDomain = readEnvironmentVariable('CUSTOM_DOMAIN', '')
param customDomainCertificateId = readEnvironmentVariable('CUSTOM_DOMAIN_CERTIFICATE_ID', '')

param storageSku = 'Standard_RAGZRS'
param privateNetwork = true
param zoneRedundant = true
param retentionDays = 30
param shimMaxReplicas = 10
param workerMaxReplicas = 30
param workerConcurrency = 64
param frontDoor = true
param monthlyBudget = 1000
param budgetStart = readEnvironmentVariable('BUDGET_START', '')
param traceSample = '0.1'
param secretNames = ['jwt-secret', 'openai-api-key', 'openai-webhook-secret']
param settings = {
  CV_DAILY_BUDGET_USD: '100'
}
