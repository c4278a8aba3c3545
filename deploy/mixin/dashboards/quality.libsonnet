// Dashboard of prediction quality: live scores, serving model and input drift.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local tables = import '../lib/tables.libsonnet';

local metric = panels.metric;
local query = panels.query;
local skillThresholds = panels.thresholds('red', [[0, 'orange'], [0.1, 'green']]);

local predictors = [
  [1, 'model', 'green'],
  [2, 'current value', 'orange'],
  [3, 'Holt-Winters', 'yellow'],
  [4, 'reduced model', 'blue'],
  [5, 'persistence', 'purple'],
  [6, 'pretrained model', 'dark-green'],
];
local servingPredictor = 'sum by (instance, horizon) (%s)' % std.join(' or ', [
  '%d * %s' % [predictor[0], metric('high_load_served_by', 'predictor="%s"' % predictor[1])]
  for predictor in predictors
]);

local perHorizon(title, description, name, unit, field) =
  panels.timeSeries(title, description, [query(metric(name), '{{horizon}}')], unit, field=field);

local half = { gridPos+: { w: panels.width / 2 } };

local live = [
  tables.horizons(
    'Live scores, last 7 days',
    "Predictions of the last 7 days against their outcomes. Skill is the relative reduction of the base rate's Brier score: "
    + '0 is no better than the base rate. Empty until outcomes are known.',
    [
      tables.column(
        'skill', panels.perHorizon('live_brier_skill'), 'none', { decimals: 2, thresholds: skillThresholds }
      ),
      tables.column('Brier score', panels.perHorizon('live_brier_score'), 'none', { decimals: 4 }),
      tables.column('precision', panels.perHorizon('live_precision'), 'percentunit', { decimals: 0 }),
      tables.column('recall', panels.perHorizon('live_recall'), 'percentunit', { decimals: 0 }),
      tables.column('lead time', panels.perHorizon('live_lead_time_seconds'), 's', { decimals: 0 }),
      tables.column('scored', panels.perHorizon('live_predictions_scored'), 'short', { decimals: 0 }),
      tables.baseRate,
      tables.servedBy,
    ],
    14,
    7
  ),
  panels.stateTimeline(
    'Serving predictor',
    'The model; the reduced model, without metrics outside their training range; the pretrained model, before '
    + 'a model of the host serves or at a horizon with too few examples; or a baseline, while it is more accurate.',
    [query(servingPredictor, '{{horizon}}')],
    10,
    7,
    panels.mappings(predictors)
  ),
  panels.timeSeries(
    'Brier skill',
    'Brier skill over the base rate in the last 7 days. Dashed: of the serving model on its holdout. Below 0, the base rate '
    + 'is better.',
    [
      query(metric('live_brier_skill'), '{{horizon}}'),
      query(metric('model_holdout_brier_skill'), 'holdout {{horizon}}'),
    ],
    'none',
    field={ max: 1, decimals: 2, thresholds: panels.thresholds('transparent', [[0, 'red']]) },
    overrides=[panels.override('/ holdout /', { 'custom.lineStyle': { fill: 'dash', dash: [8, 6] } })]
  ),
  perHorizon(
    'Precision of warnings',
    'Share of correct warnings in the last 7 days. The thresholds are chosen for `warning.precision`, 80 % by default.',
    'live_precision',
    'percentunit',
    panels.ratio
  ),
  perHorizon(
    'Recall of warnings',
    'Share of the predictions before high load that were warnings, in the last 7 days.',
    'live_recall',
    'percentunit',
    panels.ratio
  ),
  perHorizon(
    'Lead time',
    'Median time from warning to high load in the last 7 days.',
    'live_lead_time_seconds',
    's',
    { min: 0 }
  ),
  panels.timeSeries(
    'High-load periods',
    'High-load periods of the last 7 days, announced by a warning or missed.',
    [query(metric('live_periods'), '{{horizon}} {{outcome}}')],
    'short',
    field={ min: 0 }
  ),
  perHorizon(
    'False warnings per week',
    'Warnings of the last 7 days within one horizon after which load was not high.',
    'live_false_warnings_per_week',
    'short',
    { min: 0 }
  ),
  perHorizon(
    'Brier score',
    'Mean squared error of the probabilities in the last 7 days; 0 is perfect. It depends on the base rate: compare hosts by '
    + 'skill.',
    'live_brier_score',
    'none',
    { min: 0 }
  ) + half,
  perHorizon(
    'Scored predictions',
    'Predictions of the last 7 days with a known outcome. Outcomes with missing samples are unknown.',
    'live_predictions_scored',
    'short',
    { min: 0 }
  ) + half,
];

local model = [
  panels.stat(
    'Model',
    'Id of the serving model; `monitor models show` has its details.',
    query(metric('model_info'), '{{model_id}}'),
    field={ noValue: 'none' },
    textMode='name'
  ),
  panels.stat(
    'Ready',
    '1 while a model serves, including the pretrained model.',
    query(metric('model_ready')),
    field={ mappings: panels.mappings([[0, 'no', 'red'], [1, 'yes', 'green']]) }
  ),
  panels.stat(
    'Trained',
    'Training time of the serving model.',
    query(panels.timestamp('model_trained_timestamp_seconds')),
    'dateTimeFromNow',
    5
  ),
  panels.stat(
    'Training samples',
    'Number of samples that the serving model was trained on.',
    query(metric('model_training_samples')),
    'short',
    4
  ),
  panels.stat(
    'Features',
    'Number of features of the serving model.',
    query(metric('model_info'), '{{features}}'),
    textMode='name'
  ),
  panels.stat(
    'Last prediction',
    'Time since the last prediction.',
    query('time() - ' + metric('prediction_timestamp_seconds')),
    's',
    field={
      decimals: 0,
      thresholds: panels.thresholds('green', [[60, 'orange'], [300, 'red']]),
      noValue: 'none',
    }
  ),
  panels.stat(
    'Drifted metrics',
    'Number of metrics that differ from the training data (population stability index above 0.25).',
    query(
      'count by (instance) (%(drift)s > 0.25) or 0 * count by (instance) (%(drift)s)'
      % { drift: metric('input_drift') }
    ),
    field={ thresholds: panels.thresholds('green', [[1, 'orange']]), noValue: 'unknown' }
  ),
  tables.horizons(
    'Holdout scores',
    'Scores of the serving model on its holdout, at training time. Average precision measures the ranking of times, '
    + 'calibration error the difference between probability and frequency.',
    [
      tables.column(
        'skill', panels.perHorizon('model_holdout_brier_skill'), 'none', { decimals: 2, thresholds: skillThresholds }
      ),
      tables.column('Brier score', panels.perHorizon('model_holdout_brier_score'), 'none', { decimals: 4 }),
      tables.column(
        'average precision', panels.perHorizon('model_holdout_average_precision'), 'none', { decimals: 2 }
      ),
      tables.column(
        'calibration error', panels.perHorizon('model_holdout_calibration_error'), 'none', { decimals: 3 }
      ),
      tables.baseRate,
    ],
    14,
    7
  ),
  panels.barGauge(
    'Blend weights',
    'Weight of each expert at normal load: the networks of this host, the load table, and the pretrained model, which fades '
    + 'out over the first three weeks.',
    query(metric('model_share_ratio'), '{{horizon}} {{expert}}'),
    'percentunit',
    10,
    7,
    panels.ratio { decimals: 0 }
  ),
];

local drift = [
  panels.barGauge(
    'Input drift now',
    'Population stability index of the last day against the training data, per metric. 0.1 is noticeable; above 0.25 expect '
    + 'worse predictions until the next training run.',
    query('sort_desc(%s)' % metric('input_drift'), '{{metric}}'),
    'none',
    10,
    9,
    {
      decimals: 2,
      min: 0,
      max: 0.5,
      thresholds: panels.thresholds('green', [[0.1, 'yellow'], [0.25, 'orange']]),
    }
  ),
  panels.timeSeries(
    'Input drift',
    'Input drift over time. It falls after a training run on newer data.',
    [query(metric('input_drift'), '{{metric}}')],
    'none',
    10,
    9,
    field={ min: 0, thresholds: panels.thresholds('transparent', [[0.25, 'orange']]) },
    custom={ axisSoftMax: 0.3 }
  ),
  panels.barGauge(
    'Inputs out of range',
    '1: the metric is outside its training range now, and the model predicts without it.',
    query('sort_desc(%s)' % metric('input_out_of_range'), '{{metric}}'),
    'none',
    4,
    9,
    { thresholds: panels.thresholds('green', [[1, 'orange']]) }
  ),
];

dashboard.dashboard(
  'quality',
  'Prediction quality',
  'Predictions against outcomes, and the state of the serving model.',
  'now-30d',
  '5m',
  [
    dashboard.row('Live scores', live),
    dashboard.row('Serving model', model),
    dashboard.row('Inputs', drift),
  ]
)
