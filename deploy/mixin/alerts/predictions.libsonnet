local templates = import '../lib/templates.libsonnet';

function(config) {
  name: 'monitor-predictions',
  rules: [
    // Missing samples are the alert MonitorSamplingStopped.
    {
      alert: 'MonitorNoModel',
      expr: |||
        (monitor_model_ready{%(selector)s} == 0)
        and on (job, instance) monitor_last_sample_timestamp_seconds{%(selector)s}
        and on (job, instance)
        (
          monitor_model_info{%(selector)s}
          or on (job, instance)
          (time() - monitor_storage_oldest_sample_timestamp_seconds{%(selector)s} > %(historyForModel)s * 86400)
        )
      ||| % config,
      'for': '30m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'No model serves on {{ $labels.instance }}',
        description:
          'No model serves on {{ $labels.instance }}, although one is registered or there are %d days of history. '
          % config.historyForModel
          + 'High load is not predicted.',
      },
    },
    {
      alert: 'MonitorModelQuarantined',
      expr: 'monitor_models_quarantined{%(selector)s} > 0' % config,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'A model of monitor failed on {{ $labels.instance }}',
        description:
          'The {{ $labels.part }} of {{ printf "%.0f" $value }} models on {{ $labels.instance }} failed. '
          + 'An earlier model serves, or no model.',
      },
    },
    {
      alert: 'MonitorPredictionStale',
      expr: |||
        (
          (monitor_model_ready{%(selector)s} == 1)
          unless on (job, instance) monitor_prediction_timestamp_seconds{%(selector)s}
        )
        or on (job, instance)
        (
          (monitor_last_sample_timestamp_seconds{%(selector)s} - monitor_prediction_timestamp_seconds{%(selector)s})
          > %(maxPredictionLag)s
        )
      ||| % config,
      'for': '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'No new predictions on {{ $labels.instance }}',
        description:
          'A model serves on {{ $labels.instance }} and samples arrive, but there has been no prediction for more than '
          + '10 minutes.',
      },
    },
    {
      alert: 'MonitorSkillNegative',
      expr: 'instance:monitor_live_brier_skill:min < 0',
      'for': '1d',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Predictions of high load on {{ $labels.instance }} are worse than the base rate',
        description:
          'Over 7 days the Brier skill of the predictions on {{ $labels.instance }} is {{ printf "%.2f" $value }} at the '
          + 'worst horizon. Below 0, the base rate alone is better.',
      },
    },
    // A fallback may serve for a day; the daemon then retrains daily.
    {
      alert: 'MonitorBehindBaseline',
      expr: 'instance:monitor_high_load_served_by_baseline:max1d == 1',
      'for': '2d',
      labels: { severity: 'info' },
      annotations: {
        summary: 'A baseline serves instead of the model on {{ $labels.instance }}',
        description:
          'For two days a baseline has served a horizon on {{ $labels.instance }}, and no training has produced a better '
          + 'model.',
      },
    },
    {
      alert: 'MonitorInputDrift',
      expr: 'instance:monitor_input_drift:count_far3d > 0',
      'for': '1d',
      labels: { severity: 'info' },
      annotations: {
        summary: 'Metrics of {{ $labels.instance }} differ from the training data',
        description:
          '{{ printf "%.0f" $value }} metrics of {{ $labels.instance }} have differed from the training data for days. Now: '
          + templates.list(
            'sort_desc(monitor_input_drift{job=%q,instance=%q} > ' + '%g)' % config.driftThreshold,
            '{{ .Labels.metric }} ({{ printf "%.2f" .Value }})'
          ) + '.',
      },
    },
  ],
}
