// Recording rules: series for the dashboards and for the alerts. Target labels stay on every series.
{
  prometheusRules+:: {
    groups+: [
      {
        name: 'monitor-recording',
        rules: [
          // Maximum over the horizons: 1 during any warning.
          {
            record: 'instance:monitor_high_load_warning:max',
            expr: 'max without (horizon) (monitor_high_load_warning{%(selector)s})' % $._config,
          },
          // Per horizon: probability over the base rate.
          {
            record: 'instance:monitor_high_load_probability:over_baseline',
            expr: 'monitor_high_load_probability{%(selector)s} / monitor_high_load_baseline_probability{%(selector)s}'
                  % $._config,
          },
          {
            record: 'instance:monitor_last_sample:age_seconds',
            expr: 'time() - monitor_last_sample_timestamp_seconds{%(selector)s}' % $._config,
          },
          {
            record: 'instance:monitor_model_trained:age_seconds',
            expr: 'time() - monitor_model_trained_timestamp_seconds{%(selector)s}' % $._config,
          },
          // 1: as many anomaly events in 30 days as the false-alarm budget.
          {
            record: 'instance:monitor_anomaly_alarms_per_month:over_allowed',
            expr: 'monitor_anomaly_alarms_per_month{%(selector)s} / monitor_anomaly_allowed_per_month{%(selector)s}'
                  % $._config,
          },
          // Minimum over the horizons with enough outcomes.
          {
            record: 'instance:monitor_live_brier_skill:min',
            expr: |||
              min without (horizon) (
                monitor_live_brier_skill{%(selector)s}
                and (monitor_live_predictions_scored{%(selector)s} >= %(minScoredPredictions)s)
              )
            ||| % $._config,
          },
          {
            record: 'instance:monitor_training_dead_unit_ratio:max',
            expr: 'max without (layer) (monitor_training_dead_unit_ratio{%(selector)s})' % $._config,
          },
          {
            record: 'instance:monitor_input_drift:max',
            expr: 'max without (metric) (monitor_input_drift{%(selector)s})' % $._config,
          },
          // Fill level of the write buffer.
          {
            record: 'instance:monitor_storage_buffered_samples:ratio',
            expr: 'monitor_storage_buffered_samples{%(selector)s} / %(bufferCapacity)s' % $._config,
          },
          // Per job of the daemon (`exported_job`): share of missed runs.
          {
            record: 'instance:monitor_job_missed:ratio_rate1h',
            expr: |||
              rate(monitor_job_missed_total{%(selector)s}[1h])
              / (rate(monitor_job_missed_total{%(selector)s}[1h]) + rate(monitor_job_runs_total{%(selector)s}[1h]))
            ||| % $._config,
          },
          {
            record: 'instance:monitor_job_duration_seconds:p99_1h',
            expr: 'histogram_quantile(0.99, rate(monitor_job_duration_seconds_bucket{%(selector)s}[1h]))' % $._config,
          },
        ],
      },
      {
        name: 'monitor-recording-slow',
        // Series over days. The interval must stay below the five minutes after which Prometheus drops a series.
        interval: '2m',
        rules: [
          // Per outcome. These counters survive restarts.
          {
            record: 'instance:monitor_retrain_runs:increase3d',
            expr: 'increase(monitor_retrain_runs_total{%(selector)s}[3d])' % $._config,
          },
          {
            record: 'instance:monitor_retrain_runs:increase7d',
            expr: 'increase(monitor_retrain_runs_total{%(selector)s}[7d])' % $._config,
          },
          // Number of metrics that differed from the training data in four fifths of three days: longer than a weekend.
          {
            record: 'instance:monitor_input_drift:count_far3d',
            expr: |||
              count without (metric) (
                quantile_over_time(0.2, monitor_input_drift{%(selector)s}[3d:1h]) > %(driftThreshold)g
              )
            ||| % $._config,
          },
          // 1: a baseline served at some time of the day. It may serve only at high load, or only at normal load.
          {
            record: 'instance:monitor_high_load_served_by_baseline:max1d',
            expr: |||
              max without (horizon, predictor, reason, metrics) (
                max_over_time(
                  monitor_high_load_served_by{%(selector)s, predictor!~"model|reduced model|persistence", reason=~"|baseline_more_accurate"}[1d:5m]
                )
              )
            ||| % $._config,
          },
        ],
      },
    ],
  },
}
