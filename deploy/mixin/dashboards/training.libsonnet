// Dashboard of training runs and gradient health.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';

local metric = panels.metric;
local query = panels.query;

local states = panels.mappings([[1, 'healthy', 'green'], [2, 'vanishing', 'orange'], [3, 'exploding', 'red']]);
local gradientState = 'sum by (instance) (%s or 2 * %s or 3 * %s)' % [
  metric('training_gradient_state', 'state="%s"' % state)
  for state in ['healthy', 'vanishing', 'exploding']
];

local current = [
  panels.stat(
    'Gradient state',
    'Gradient state of the last training run. `monitor models show` has reasons and advice.',
    query(gradientState),
    field={ mappings: states, noValue: 'no training run yet' }
  ),
  panels.stat(
    'Retraining',
    '1 during a training run.',
    query(metric('retrain_running')),
    field={ mappings: panels.mappings([[0, 'idle', 'text'], [1, 'running', 'blue']]) }
  ),
  panels.stat(
    'Next training run',
    'Time of the next training run. Empty while there is too little history.',
    query(panels.timestamp('retrain_next_timestamp_seconds')),
    'dateTimeFromNow',
    field={ noValue: 'not scheduled' }
  ),
  panels.stat(
    'Last attempt',
    'Start of the last training run, whatever its outcome.',
    query(panels.timestamp('retrain_last_attempt_timestamp_seconds')),
    'dateTimeFromNow',
    field={ noValue: 'never' }
  ),
  panels.stat(
    'Last promotion',
    'Time of the last promotion of a new model.',
    query(panels.timestamp('retrain_last_success_timestamp_seconds')),
    'dateTimeFromNow',
    field={ noValue: 'never' }
  ),
  panels.stat(
    'Clipped steps',
    'Steps with a gradient clipped to `training.gradient_clip`. Some are normal, more than half are not.',
    query(metric('training_clipped_steps')),
    'short',
    field={ decimals: 0 }
  ),
  panels.stat(
    'Non-finite steps',
    'Steps with a gradient that was not finite. If there are any, lower the learning rate.',
    query(metric('training_nonfinite_steps')),
    'short',
    field={ decimals: 0, thresholds: panels.thresholds('green', [[1, 'red']]) }
  ),
  panels.stat(
    'Epochs',
    'Epochs of the last training run.',
    query(metric('training_epochs')),
    'short',
    field={ decimals: 0 }
  ),
];

local perParameter(title, description, name, field={}) = panels.timeSeries(
  title,
  description,
  [query(metric(name), '{{parameter}}')],
  'sci',
  height=9,
  field=field,
  custom=panels.logarithmic + panels.steps,
  calcs=['lastNotNull']
);

local perLayer(title, description, name, limit) = panels.timeSeries(
  title,
  description,
  [query(metric(name), 'layer {{layer}}')],
  'percentunit',
  field=panels.ratio { thresholds: panels.thresholds('transparent', [[limit, 'orange']]) },
  custom=panels.steps
);

local gradients = [
  perParameter(
    'Gradient norm, last epoch',
    'L2 norm of the gradient per parameter, mean of the last epoch, over all networks of the ensemble. Below '
    + '`training.vanishing_gradient` (1e-7 by default) a weight matrix no longer learns.',
    'training_gradient_norm',
    { thresholds: panels.thresholds('transparent', [[1e-7, 'orange']]) }
  ),
  perParameter(
    'Largest gradient norm',
    'Largest L2 norm of the gradient per parameter before clipping. Above `training.exploding_gradient` (100 by default) the '
    + 'state is exploding.',
    'training_gradient_norm_max',
    { thresholds: panels.thresholds('transparent', [[100, 'red']]) }
  ),
  perParameter(
    'Update ratio',
    'L2 norm of the update over that of the weight, mean of the last epoch. Around 1e-3 is normal in the middle of a training '
    + 'run, less at its end. Near 1 weights are overwritten, far below 1e-6 they do not change.',
    'training_update_ratio'
  ),
  perLayer(
    'Dead units',
    'Share of units per activation layer that are inactive for every validation row. From 40 % on, the training report has '
    + 'advice.',
    'training_dead_unit_ratio',
    0.4
  ),
  perLayer(
    'Saturated activations',
    'Share of outputs of a tanh or sigmoid layer close to one of its bounds. Empty with ReLU, the default.',
    'training_activation_saturation_ratio',
    0.5
  ),
  panels.stateTimeline(
    'Gradient state over time', 'Gradient state of each training run.', [query(gradientState)], 8, 8, states
  ),
];

local outcomes = [
  panels.timeSeries(
    'Loss',
    'Mean binary cross-entropy of the kept epoch, in nats. Validation far above training means overfitting.',
    [query(metric('training_loss'), '{{split}}')],
    'none',
    field={ decimals: 3, min: 0 },
    custom=panels.steps
  ),
  panels.timeSeries(
    'Training duration',
    'Duration of each training run. `training.timeout` (10 minutes by default) is the limit.',
    [query(metric('training_duration_seconds'), 'duration')],
    's',
    field={ min: 0 },
    custom=panels.steps
  ),
  panels.timeSeries(
    'Peak memory',
    'Peak resident memory of the training process.',
    [query(metric('training_peak_memory_bytes'), 'memory')],
    'bytes',
    field={ min: 0 },
    custom=panels.steps
  ),
  panels.timeSeries(
    'Training runs per day',
    'By outcome. A refused run is no fault: the gate kept the incumbent. A failed run is a fault.',
    [query('round(increase(%s[$__interval]))' % metric('retrain_runs_total'), '{{outcome}}')],
    'short',
    16,
    field={ min: 0, decimals: 0 },
    custom=panels.stacked + panels.bars,
    overrides=[
      panels.override('/ promoted$/', { color: panels.fixedColor('green') }),
      panels.override('/ refused$/', { color: panels.fixedColor('yellow') }),
      panels.override('/ skipped$/', { color: panels.fixedColor('#8e8e8e') }),
      panels.override('/ failed$/', { color: panels.fixedColor('red') }),
    ]
  ) + { interval: '1d' },
  panels.barGauge(
    'Training runs in total',
    'By outcome, from the database.',
    query(metric('retrain_runs_total'), '{{outcome}}'),
    'short',
    8,
    8,
    { decimals: 0, min: 0 }
  ),
];

dashboard.dashboard(
  'training',
  'Training and gradients',
  'Gradient health of the last training run, outcomes of all runs, and time of the next run.',
  'now-30d',
  '5m',
  [
    dashboard.row('', current),
    dashboard.row('Gradients and layers', gradients),
    dashboard.row('Loss and outcomes', outcomes),
  ]
)
