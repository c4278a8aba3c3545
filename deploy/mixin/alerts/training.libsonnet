local templates = import '../lib/templates.libsonnet';

function(config) {
  name: 'monitor-training',
  rules: [
    // Ends when a training run succeeds, or after three days.
    {
      alert: 'MonitorRetrainFailed',
      expr: |||
        (instance:monitor_retrain_runs:increase3d{outcome="failed"} >= 0.9)
        unless on (job, instance)
        (
          monitor_retrain_last_success_timestamp_seconds{%(selector)s}
          >= on (job, instance) monitor_retrain_last_attempt_timestamp_seconds{%(selector)s}
        )
      ||| % config,
      'for': '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Retraining fails on {{ $labels.instance }}',
        description:
          '{{ printf "%.0f" $value }} retrainings on {{ $labels.instance }} failed within 3 days, and the last one brought '
          + 'no new model. The incumbent serves on.',
      },
    },
    // On a young host refusals are common, and the pretrained model serves; hence the week of history. With training runs
    // two weeks apart, refusals are too far from each other to count; hence the second part.
    {
      alert: 'MonitorRetrainRefused',
      expr: |||
        (
          (instance:monitor_retrain_runs:increase7d{outcome="refused"} >= %(maxRefusals)s - 0.1)
          unless on (job, instance) (instance:monitor_retrain_runs:increase7d{outcome="promoted"} >= 0.9)
          and on (job, instance) (time() - monitor_storage_oldest_sample_timestamp_seconds{%(selector)s} > 7 * 86400)
        )
        or on (job, instance)
        (
          monitor_retrain_last_attempt_timestamp_seconds{%(selector)s}
          - monitor_retrain_last_success_timestamp_seconds{%(selector)s}
          > %(maxDaysWithoutPromotion)s * 86400
        )
      ||| % config,
      'for': '1h',
      labels: { severity: 'info' },
      annotations: {
        summary: 'No new model has passed the gate on {{ $labels.instance }}',
        description:
          'Retrainings on {{ $labels.instance }} have produced no new model: at least %(maxRefusals)d refusals in a week, or '
          % config
          + '%(maxDaysWithoutPromotion)d days of attempts. The incumbent serves on.' % config,
      },
    },
    // The label `state` is that of the gradients, or dead_units. Dead units are no reason to act today.
    {
      alert: 'MonitorTrainingUnhealthy',
      expr: 'monitor_training_gradient_state{%(selector)s, state!="healthy"} == 1' % config,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Gradients {{ $labels.state }} in the last training run on {{ $labels.instance }}',
        description:
          'In the last training run on {{ $labels.instance }} '
          + '{{ if eq $labels.state "exploding" }}a gradient was not finite or above training.exploding_gradient; the largest '
          + 'norm was {{ with ' + templates.query('max(monitor_training_gradient_norm_max{job=%q,instance=%q})')
          + ' }}{{ . | first | value | printf "%.4g" }}{{ else }}not finite{{ end }}.'
          + '{{ else }}the mean gradient of some layer fell below training.vanishing_gradient. That layer learned nothing.'
          + '{{ end }}',
      },
    },
    {
      alert: 'MonitorTrainingUnhealthy',
      expr: |||
        label_replace(instance:monitor_training_dead_unit_ratio:max >= %(deadUnitsLimit)g, "state", "dead_units", "", "")
      ||| % config,
      'for': '5m',
      labels: { severity: 'info' },
      annotations: {
        summary: 'Many dead units in the model of {{ $labels.instance }}',
        description:
          'After the last training run on {{ $labels.instance }}, {{ $value | humanizePercentage }} of the units of one layer '
          + 'are zero for every row of the holdout.',
      },
    },
  ],
}
