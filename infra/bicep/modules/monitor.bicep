// Where logs, traces and metrics go, and the queries that are saved there.

param environmentName string
param location string
param tags object
@description('Days that logs are kept.')
@minValue(30)
param retentionInDays int = 90
@description('Most gigabytes a day; beyond that logs are dropped until midnight.')
param dailyQuotaGb int = 5

var savedQueries = [
  { name: 'error-rate', title: 'Error rate in per cent', query: loadTextContent('../../dashboards/queries/error-rate.kql') }
  { name: 'latency-by-route', title: 'Latency by route', query: loadTextContent('../../dashboards/queries/latency-by-route.kql') }
  { name: 'guard-events', title: 'Guard events', query: loadTextContent('../../dashboards/queries/guard-events.kql') }
  { name: 'job-figures', title: 'Figures of sampled jobs', query: loadTextContent('../../dashboards/queries/job-figures.kql') }
  { name: 'cost-by-model', title: 'Cost by model and hour', query: loadTextContent('../../dashboards/queries/cost-by-model.kql') }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-presswork-${environmentName}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: { disableLocalAuth: false, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-presswork-${environmentName}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableIpMasking: false
  }
}

resource saved 'Microsoft.OperationalInsights/workspaces/savedSearches@2020-08-01' = [for query in savedQueries: {
  parent: workspace
  name: query.name
  properties: {
    // Without it a second deployment is told 409. The service takes it here alone, the type has it beside `properties`.
    #disable-next-line BCP037
    etag: '*'
    category: 'Presswork'
    displayName: query.title
    query: query.query
    version: 2
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'presswork')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Presswork ${environmentName}'
    category: 'workbook'
    sourceId: workspace.id
    version: '1.0'
    serializedData: loadTextContent('../../dashboards/workbook.json')
  }
}

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output insightsId string = insights.id
output insightsName string = insights.name
