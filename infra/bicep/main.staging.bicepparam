// Staging: as production, in small.
using 'main.bicep'

param environmentName = 'staging'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param operatorPrincipalId = readEnvironmentVariable('OPERATOR_GROUP_ID', '')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', 'operators@example.com')
param image = readEnvironmentVariable('IMAGE', '')
param stableRevision = readEnvironmentVariable('STABLE_REVISION', '')
param newRevisionShare = int(readEnvironmentVariable('NEW_REVISION_SHARE', '100'))

param storageSku = 'Standard_ZRS'
param privateNetwork = true
param retentionDays = 7
param shimMaxReplicas = 3
param workerMaxReplicas = 5
param monthlyBudget = 150
param budgetStart = readEnvironmentVariable('BUDGET_START', '')
param traceSample = '0.5'
param secretNames = ['jwt-secret', 'openai-api-key']
