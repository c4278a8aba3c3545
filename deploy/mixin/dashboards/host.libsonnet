// Dashboard of the host: load, predictions and anomalies.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local tables = import '../lib/tables.libsonnet';
local anomalies = import 'host_anomalies.libsonnet';
local capacity = import 'host_capacity.libsonnet';
local hostMetrics = import 'host_metrics.libsonnet';

local metric = panels.metric;
local query = panels.query;
local mappings = panels.mappings;
local absent = 'Empty where the host lacks the metric, or where `web.host_metrics` is false.';

local overview = [
  panels.stat(
    'High load',
    '1 while a rule of `high_load.rules` has held for `high_load.sustained`.',
    query(metric('high_load_active')),
    field={ mappings: mappings([[0, 'normal', 'green'], [1, 'HIGH', 'red']]) }
  ),
  panels.stat(
    'Warnings',
    'Number of horizons with a warning.',
    query('sum by (instance) (%s)' % metric('high_load_warning')),
    field={
      thresholds: panels.thresholds('green', [[1, 'orange']]),
      mappings: mappings([[0, 'none', 'green']]),
    }
  ),
  panels.stat(
    'Anomaly',
    'State of the anomaly detector, which needs three days of history.',
    query(metric('anomaly_active')),
    field={
      mappings: mappings([[0, 'none', 'green'], [1, 'ANOMALY', 'purple']]),
      noValue: 'no detector',
    }
  ),
  panels.stat(
    'Model',
    'A model of this host, or the pretrained model, which was trained on other hosts.',
    query(metric('model_prior')),
    field={
      mappings: mappings([[0, 'own', 'green'], [1, 'pretrained', 'blue']]),
      noValue: 'none',
    }
  ),
  panels.stat(
    'CPU',
    'Busy share of all CPUs, without I/O wait. ' + absent,
    query(metric('host_cpu_usage_ratio')),
    'percentunit',
    field={ thresholds: panels.thresholds('green', [[0.7, 'orange'], [0.85, 'red']]), decimals: 0 }
  ),
  panels.stat(
    'Load per CPU',
    '1-minute load average over the number of CPUs. Above 1, tasks wait. ' + absent,
    query(metric('host_load_per_cpu_ratio')),
    field={ thresholds: panels.thresholds('green', [[1, 'orange'], [2, 'red']]), decimals: 2 }
  ),
  panels.stat(
    'Memory',
    'Share of unavailable memory. ' + absent,
    query(metric('host_memory_usage_ratio')),
    'percentunit',
    field={ thresholds: panels.thresholds('green', [[0.8, 'orange'], [0.95, 'red']]), decimals: 0 }
  ),
  panels.stat(
    'Last sample',
    'Time since the last sample. Far above `sampling.interval` (5 s by default), sampling has stopped.',
    query('time() - ' + metric('last_sample_timestamp_seconds')),
    's',
    field={
      thresholds: panels.thresholds('green', [[60, 'orange'], [300, 'red']]),
      decimals: 0,
      noValue: 'down',
    }
  ),
];

local quiet = 'rgba(128, 128, 128, 0.2)';
local states(name, color) = panels.override('/ %s( |$)/' % name, { mappings: mappings([[0, 'no', quiet], [1, name, color]]) });

local predictions = [
  tables.horizons(
    'Predictions',
    'Probability of high load within each horizon, base rate, warning threshold (100 %: no warnings), and the serving '
    + 'predictor: the model, or a fallback baseline.',
    [
      tables.column('probability', panels.perHorizon('high_load_probability'), 'percentunit', { decimals: 1 }),
      tables.baseRate,
      tables.column('threshold', panels.perHorizon('high_load_warning_threshold'), 'percentunit', { decimals: 1 }),
      tables.column('warning', panels.perHorizon('high_load_warning'), 'none', {
        mappings: mappings([[0, 'no', 'text'], [1, 'WARNING', 'orange']]),
        'custom.cellOptions': { type: 'color-background', mode: 'basic' },
      }),
      tables.servedBy,
    ],
    12,
    7
  ),
  panels.stateTimeline(
    'States',
    'High load, warnings per horizon and of exhausted capacity, anomalies, and maintenance windows, in which no anomaly is reported.',
    [
      query(metric('high_load_active'), 'high load'),
      query(metric('high_load_warning'), 'warning {{horizon}}'),
      query(metric('filesystem_full_warning'), 'warning {{mountpoint}}'),
      query(metric('memory_exhaustion_warning'), 'warning memory'),
      query(metric('anomaly_active'), 'anomaly'),
      query(metric('anomaly_maintenance'), 'maintenance'),
    ],
    12,
    7,
    mappings([[0, 'no', quiet], [1, 'yes', 'red']]),
    [states('warning', 'orange'), states('anomaly', 'purple'), states('maintenance', 'blue')]
  ),
];

// Repeated per horizon.
local horizon = 'horizon=~"$horizon"';
local probabilities = [
  panels.timeSeries(
    'High load within $horizon',
    'Probability, base rate and warning threshold, which is lower during a warning; 100 % means no warnings. The red area '
    + 'is high load: the line should rise before it.',
    [
      query(metric('high_load_probability', horizon), 'probability'),
      query(metric('high_load_baseline_probability', horizon), 'base rate'),
      query(metric('high_load_warning_threshold', horizon), 'threshold'),
      query(metric('high_load_active'), 'high load'),
    ],
    'percentunit',
    panels.width,
    field=panels.ratio,
    overrides=[
      panels.override('/ probability$/', { 'custom.lineWidth': 2 }),
      panels.dashedLine('/ base rate$/', '#8e8e8e'),
      panels.dashedLine('/ threshold$/', 'orange'),
      panels.override('/ high load$/', {
        color: panels.fixedColor('red'),
        'custom.fillOpacity': 15,
        'custom.lineWidth': 0,
        'custom.lineInterpolation': 'stepAfter',
      }),
    ]
  ) + panels.perSelectedHorizon,
  panels.barGauge(
    'Attributions, $horizon',
    'The eight largest contributions to the log-odds, relative to the base rate. Above 0 raises the probability, below 0 '
    + 'lowers it. `level` is the difference of an average time from the base rate.',
    query(
      'sort_desc(%(contribution)s and topk by (instance) (8, abs(%(contribution)s)))'
      % { contribution: metric('high_load_contribution', horizon) },
      '{{metric}}'
    ),
    'none',
    panels.width,
    7,
    { decimals: 2, thresholds: panels.thresholds('green', [[0, 'orange']]) }
  ) + panels.perSelectedHorizon,
];

dashboard.dashboard(
  'host',
  'Host',
  'Host metrics, probability of high load, and anomalies.',
  'now-6h',
  '30s',
  [
    dashboard.row('', overview + predictions),
    dashboard.row('Probability of high load', probabilities),
    dashboard.row('Anomalies', anomalies),
    dashboard.row('Exhausted capacity', capacity),
    dashboard.row('Host metrics', hostMetrics(absent)),
  ]
)
