// Alerts, the test of the end point from outside, word of secrets that expire, and the budget. Each alert is one query of
// infra/dashboards/queries that gives one row with `Value`.

param environmentName string
param location string
param tags object
param workspaceId string
param insightsId string
param vaultName string
param email string
@description('Thresholds that differ from those in `alerts` below, by the name of the alert.')
param thresholds object
@description('Base URL of the API.')
param endpoint string
param monthlyBudget int
param budgetStart string

// Frequency and window are ISO 8601 durations; severity 0 is the worst.
var alerts = [
  { name: 'response-over-3s', query: loadTextContent('../../dashboards/queries/mean-response.kql'), operator: 'GreaterThan', threshold: 3, every: 'PT5M', window: 'PT15M', severity: 2, text: 'The mean response of the API takes over 3 s.' }
  { name: 'response-over-5s', query: loadTextContent('../../dashboards/queries/mean-response.kql'), operator: 'GreaterThan', threshold: 5, every: 'PT5M', window: 'PT5M', severity: 1, text: 'The mean response of the API takes over 5 s.' }
  { name: 'server-errors', query: loadTextContent('../../dashboards/queries/server-errors.kql'), operator: 'GreaterThan', threshold: 10, every: 'PT1M', window: 'PT5M', severity: 1, text: 'More than 10 answers 5xx in 5 minutes.' }
  { name: 'error-rate', query: loadTextContent('../../dashboards/queries/error-rate.kql'), operator: 'GreaterThan', threshold: 5, every: 'PT5M', window: 'PT15M', severity: 1, text: 'More than 5 % of the answers are 5xx.' }
  { name: 'job-duration', query: loadTextContent('../../dashboards/queries/job-duration.kql'), operator: 'GreaterThan', threshold: 30, every: 'PT5M', window: 'PT15M', severity: 2, text: 'Jobs take over 30 s in the mean.' }
  { name: 'outcome-unknown', query: loadTextContent('../../dashboards/queries/outcome-unknown.kql'), operator: 'GreaterThan', threshold: 0, every: 'PT5M', window: 'PT5M', severity: 2, text: 'A job was held: the outcome of its model call is unknown.' }
  { name: 'download-errors', query: loadTextContent('../../dashboards/queries/download-errors.kql'), operator: 'GreaterThan', threshold: 0, every: 'PT5M', window: 'PT5M', severity: 1, text: 'A finished PDF could not be sent.' }
  { name: 'poison', query: loadTextContent('../../dashboards/queries/poison.kql'), operator: 'GreaterThan', threshold: 0, every: 'PT5M', window: 'PT5M', severity: 1, text: 'A message was set aside.' }
  { name: 'oldest-message', query: loadTextContent('../../dashboards/queries/oldest-message.kql'), operator: 'GreaterThan', threshold: 300, every: 'PT5M', window: 'PT5M', severity: 1, text: 'A message has waited for over 5 minutes.' }
  { name: 'storage-failures', query: loadTextContent('../../dashboards/queries/storage-failures.kql'), operator: 'GreaterThan', threshold: 10, every: 'PT5M', window: 'PT5M', severity: 1, text: 'Storage operations fail.' }
  { name: 'calls-beyond-promise', query: loadTextContent('../../dashboards/queries/calls-beyond-promise.kql'), operator: 'GreaterThan', threshold: 0, every: 'PT15M', window: 'P2D', severity: 0, text: 'More model calls than jobs and permitted retries.' }
  { name: 'availability', query: loadTextContent('../../dashboards/queries/availability.kql'), operator: 'LessThan', threshold: 99, every: 'PT15M', window: 'PT6H', severity: 1, text: 'Less than 99 % of the tests from outside pass.' }
  { name: 'cost-per-thousand', query: loadTextContent('../../dashboards/queries/cost-per-thousand.kql'), operator: 'GreaterThan', threshold: json('0.2'), every: 'PT1H', window: 'P1D', severity: 3, text: 'The model costs more per 1,000 requests than it should.' }
  { name: 'daily-spend', query: loadTextContent('../../dashboards/queries/daily-spend.kql'), operator: 'GreaterThan', threshold: 50, every: 'PT15M', window: 'P1D', severity: 1, text: 'The model has cost more than $50 today.' }
  { name: 'export-missing', query: loadTextContent('../../dashboards/queries/exports.kql'), operator: 'LessThan', threshold: 1, every: 'PT6H', window: 'P2D', severity: 2, text: 'Last night no export of the tables was written.' }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-presswork-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'presswork'
    enabled: true
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-03-15-preview' = [for alert in alerts: {
  name: 'alert-presswork-${alert.name}-${environmentName}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Presswork ${environmentName}: ${alert.name}'
    description: alert.text
    severity: alert.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: alert.every
    windowSize: alert.window
    criteria: {
      allOf: [
        {
          query: alert.query
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'Value'
          operator: alert.operator
          threshold: contains(thresholds, alert.name) ? thresholds[alert.name] : alert.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    // A table that has had no entry yet has no columns either.
    skipQueryValidation: true
    actions: { actionGroups: [people.id] }
  }
}]

// Thirty days before a secret expires, and when it has.
resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-presswork-vault-${environmentName}'
  location: location
  tags: tags
  properties: {
    source: vault.id
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource expiry 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: vaultTopic
  name: 'secrets-to-people'
  properties: {
    // The only schema that alerts take.
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']
    }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev2'
        description: 'A secret of Presswork ${environmentName} expires; see "Rotate keys and secrets" in the runbook.'
        actionGroups: [people.id]
      }
    }
  }
}

resource test 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'test-presswork-${environmentName}'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'test-presswork-${environmentName}'
    Name: 'readyz'
    Enabled: true
    Frequency: 300
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
    ]
    Request: { RequestUrl: '${endpoint}/readyz', HttpVerb: 'GET', ParseDependentRequests: false }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 14 }
  }
}

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'budget-presswork-${environmentName}'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStart }
    notifications: {
      most: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Actual', contactEmails: [email], contactGroups: [people.id] }
      foreseen: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: [email], contactGroups: [people.id] }
    }
  }
}
