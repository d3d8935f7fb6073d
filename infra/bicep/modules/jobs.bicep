// Scheduled jobs: what must happen where no worker runs, since workers scale to zero; and the export of
// each night. Each has an identity of its own, and none has a key of a model.

param environmentName string
param location string
param tags object
param appsEnvironmentId string
param image string
param registryServer string
param reconcileId string
param reconcileClientId string
param retentionId string
param retentionClientId string
param exportId string
param exportClientId string
param vaultUri string
@description('Settings of all programs, by the names of their variables.')
param settings object

// A test runs each of these commands as it stands here.
var schedules = [
  {
    name: 'reconcile'
    // Puts stranded jobs and due notifications back on their queues, which wakes workers.
    cron: '* * * * *'
    command: ['worker', '--reconcile-once']
    timeout: 300
    identityId: reconcileId
    clientId: reconcileClientId
    retries: 0
  }
  {
    name: 'retention'
    // Does what is due: the hours of the day are settings (cv.cleanup_at, retention.sweep_at).
    cron: '45 * * * *'
    command: ['worker', '--retention-once']
    timeout: 3000
    identityId: retentionId
    clientId: retentionClientId
    retries: 0
  }
  {
    name: 'export'
    // Rows of all tables, of which Azure keeps no versions, into the container of exports.
    cron: '20 2 * * *'
    command: ['presswork', 'export', '--stored']
    timeout: 7200
    identityId: exportId
    clientId: exportClientId
    // The other two are made up for by their next round; this one comes once a day.
    retries: 2
  }
]

// No job calls a model, and none has its key.
var variables = [for item in items(settings): { name: item.key, value: string(item.value) }]

resource job 'Microsoft.App/jobs@2024-10-02-preview' = [for schedule in schedules: {
  // 32 characters at most, so without the name of the application: nothing is cut off.
  name: 'job-${schedule.name}-${environmentName}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${schedule.identityId}': {} } }
  properties: {
    environmentId: appsEnvironmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: { cronExpression: schedule.cron, parallelism: 1, replicaCompletionCount: 1 }
      replicaTimeout: schedule.timeout
      replicaRetryLimit: schedule.retries
      registries: [{ server: registryServer, identity: schedule.identityId }]
      secrets: [
        { name: 'applicationinsights', keyVaultUrl: '${vaultUri}secrets/applicationinsights', identity: schedule.identityId }
      ]
    }
    template: {
      containers: [
        {
          name: schedule.name
          image: image
          command: schedule.command
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          env: concat(variables, [
            { name: 'AZURE_CLIENT_ID', value: schedule.clientId }
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', secretRef: 'applicationinsights' } // checkov:skip=CKV_SECRET_6:The name of a secret and of its variable, not its value.
          ])
        }
      ]
    }
  }
}]
