// Scheduled jobs: what must happen where no worker runs, since workers scale to zero.

param environmentName string
param location string
param tags object
param appsEnvironmentId string
param image string
param registryServer string
param identityId string
param secrets array
param variables array

var schedules = [
  {
    name: 'reconcile'
    // Puts stranded jobs and due notifications back on their queues, which wakes workers.
    cron: '* * * * *'
    argument: '--reconcile-once'
    timeout: 300
  }
  {
    name: 'retention'
    // Does what is due: the hours of the day are settings (cv.cleanup_at, retention.sweep_at).
    cron: '45 * * * *'
    argument: '--retention-once'
    timeout: 3000
  }
]

resource job 'Microsoft.App/jobs@2024-10-02-preview' = [for schedule in schedules: {
  name: 'job-presswork-${schedule.name}-${take(environmentName, 8)}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: appsEnvironmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: { cronExpression: schedule.cron, parallelism: 1, replicaCompletionCount: 1 }
      replicaTimeout: schedule.timeout
      // The next round does what this one has missed.
      replicaRetryLimit: 0
      registries: [{ server: registryServer, identity: identityId }]
      secrets: secrets
    }
    template: {
      containers: [
        {
          name: 'worker'
          image: image
          command: ['worker', schedule.argument]
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          env: variables
        }
      ]
    }
  }
}]
