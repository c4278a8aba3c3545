local templates = import '../lib/templates.libsonnet';

function(config) {
  name: 'monitor-anomalies',
  rules: [
    // An anomaly lasts at least half an hour, so it needs no `for`. anomaly.false_alarms_per_month sets the
    // false-alarm rate.
    {
      alert: 'MonitorAnomaly',
      expr: 'monitor_anomaly_active{%(selector)s} == 1' % config,
      keep_firing_for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Anomaly in progress on {{ $labels.instance }}',
        description:
          'The behaviour of {{ $labels.instance }} differs from its history. Largest contributions: '
          + templates.list(
            'sort_desc(topk(3, monitor_anomaly_contribution{job=%q,instance=%q} > 0))',
            '{{ .Labels.metric }} ({{ .Value | humanizePercentage }})'
          ) + '.',
      },
    },
    // The bound of the detector validation: 1.25 times the budget plus three standard deviations.
    {
      alert: 'MonitorTooManyAnomalies',
      expr: |||
        monitor_anomaly_alarms_per_month{%(selector)s}
        > 1.25 * monitor_anomaly_allowed_per_month{%(selector)s} + 3 * sqrt(monitor_anomaly_allowed_per_month{%(selector)s})
      ||| % config,
      'for': '1h',
      labels: { severity: 'info' },
      annotations: {
        summary: 'More anomalies on {{ $labels.instance }} than allowed',
        description:
          '{{ printf "%.0f" $value }} anomalies on {{ $labels.instance }} in 30 days have no verdict `incident`. That is '
          + templates.value('instance:monitor_anomaly_alarms_per_month:over_allowed{job=%q,instance=%q}', 'printf "%.1f"')
          + ' times the allowed number.',
      },
    },
  ],
}
