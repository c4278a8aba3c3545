function(config) {
  name: 'monitor-daemon',
  rules: [
    {
      alert: 'MonitorReloadFailed',
      expr: 'monitor_config_last_reload_successful{%(selector)s} == 0' % config,
      'for': '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} refused its configuration',
        description:
          'The last reload on {{ $labels.instance }} took no effect. The old configuration stays in effect. '
          + 'The daemon may not start again with the new one.',
      },
    },
    {
      alert: 'MonitorNotificationsFailing',
      expr: |||
        (monitor_notifications_pending{%(selector)s} > 0)
        or (sum without (outcome) (increase(monitor_notifications_total{%(selector)s, outcome=~"failed|dropped"}[1h])) > 0.5)
      ||| % config,
      'for': '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Notifications of {{ $labels.instance }} fail in the channel {{ $labels.channel }}',
        description:
          'Notifications of {{ $labels.instance }} through the channel {{ $labels.channel }} wait for their delivery, or were '
          + 'abandoned.',
      },
    },
    // Storage failures, which make jobs fail, are the alert MonitorStorageWriteFailing.
    {
      alert: 'MonitorJobFailing',
      expr: |||
        (increase(monitor_job_failures_total{%(selector)s}[3h]) >= 1.9)
        unless on (job, instance) (increase(monitor_storage_write_failures_total{%(selector)s}[3h]) > 0)
      ||| % config,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The job {{ $labels.exported_job }} of monitor fails on {{ $labels.instance }}',
        description:
          'The job {{ $labels.exported_job }} on {{ $labels.instance }} failed {{ printf "%.0f" $value }} times in 3 hours.',
      },
    },
    {
      alert: 'MonitorJobHung',
      expr: 'monitor_job_hung{%(selector)s} == 1' % config,
      'for': '2m',
      labels: { severity: 'critical' },
      annotations: {
        summary: 'The job {{ $labels.exported_job }} of monitor hangs on {{ $labels.instance }}',
        description:
          'The job {{ $labels.exported_job }} on {{ $labels.instance }} has exceeded its deadline, or its runs have stopped.',
      },
    },
    {
      alert: 'MonitorJobsMissed',
      expr: |||
        (
          (instance:monitor_job_missed:ratio_rate1h > %(maxMissedRuns)g)
          and (increase(monitor_job_missed_total{%(selector)s}[1h]) >= 3)
        )
        unless on (job, instance) (increase(monitor_storage_write_failures_total{%(selector)s}[1h]) > 0)
      ||| % config,
      'for': '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The job {{ $labels.exported_job }} of monitor misses runs on {{ $labels.instance }}',
        description:
          '{{ $value | humanizePercentage }} of the runs of the job {{ $labels.exported_job }} on {{ $labels.instance }} were '
          + 'missed in the last hour.',
      },
    },
    {
      alert: 'MonitorLogLinesDropped',
      expr: 'increase(monitor_log_dropped_total{%(selector)s}[15m]) > 0' % config,
      keep_firing_for: '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} loses log lines',
        description:
          '{{ printf "%.0f" $value }} log lines on {{ $labels.instance }} were lost in 15 minutes, because stderr is blocked.',
      },
    },
  ],
}
