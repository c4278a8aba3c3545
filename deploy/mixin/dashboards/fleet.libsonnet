// Dashboard of all hosts, sorted by risk.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local tables = import '../lib/tables.libsonnet';

local metric = panels.metric;
local up = 'up{%s}' % panels.matchers;

// Number of hosts; orange or red from the first on.
local count(title, description, condition, color) = panels.stat(
  title,
  description,
  { expr: 'count(%s) or vector(0)' % condition, legend: title },
  'short',
  4,
  { decimals: 0, thresholds: panels.thresholds('green', [[1, color]]) }
);

local counts = [
  panels.stat(
    'Hosts',
    'Scrape targets of the selected jobs.',
    { expr: 'count(%s) or vector(0)' % up, legend: 'Hosts' },
    'short',
    4,
    { decimals: 0 }
  ),
  count('Down', 'Targets that Prometheus cannot scrape.', up + ' == 0', 'red'),
  count('High load', 'Hosts under high load now.', metric('high_load_active') + ' == 1', 'red'),
  count(
    'Warnings',
    'Hosts with a high-load warning for any horizon.',
    'max by (job, instance) (%s) == 1' % metric('high_load_warning'),
    'orange'
  ),
  count('Anomalies', 'Hosts with an anomaly in progress.', metric('anomaly_active') + ' == 1', 'purple'),
  count('No model', 'Hosts without a serving model.', metric('model_ready') + ' == 0', 'orange'),
];

local state(name, expr, texts) = tables.column(name, expr, 'none', {
  mappings: panels.mappings(texts),
  'custom.cellOptions': { type: 'color-background', mode: 'basic' },
});

local probability(name, labels='') = tables.column(
  name,
  'max by (job, instance) (%s)' % metric('high_load_probability', labels),
  'percentunit',
  {
    decimals: 1,
    min: 0,
    max: 1,
    thresholds: panels.thresholds('green', [[0.3, 'yellow'], [0.6, 'orange']]),
    'custom.cellOptions': { type: 'color-text' },
  }
);

local hostLink = {
  title: 'Host dashboard of ${__data.fields.instance}',
  url:
    '/d/monitor-host?var-datasource=${datasource}&var-job=${__data.fields.job:percentencode}'
    + '&var-instance=${__data.fields.instance:percentencode}&${__url_time_range}',
  targetBlank: false,
};

local hosts(horizons) =
  local columns = [
    probability('highest probability'),
  ] + [
    probability('within ' + horizon, 'horizon="%s"' % horizon)
    for horizon in horizons
  ] + [
    state(
      'warning',
      'max by (job, instance) (%s)' % metric('high_load_warning'),
      [[0, 'no', 'text'], [1, 'WARNING', 'orange']]
    ),
    state(
      'load', 'max by (job, instance) (%s)' % metric('high_load_active'), [[0, 'normal', 'text'], [1, 'HIGH', 'red']]
    ),
    state(
      'anomaly',
      'max by (job, instance) (%s)' % metric('anomaly_active'),
      [[0, 'no', 'text'], [1, 'ANOMALY', 'purple']]
    ),
    state(
      'model',
      // 0: none, 1: pretrained, 2: own.
      'max by (job, instance) (2 * %(ready)s - (%(ready)s and (%(prior)s == 1)) or 2 * %(ready)s)' % {
        ready: metric('model_ready'),
        prior: metric('model_prior'),
      },
      [[0, 'none', 'orange'], [1, 'pretrained', 'blue'], [2, 'own', 'text']]
    ),
    tables.column(
      'last sample',
      'max by (job, instance) (time() - %s)' % metric('last_sample_timestamp_seconds'),
      's',
      {
        decimals: 0,
        thresholds: panels.thresholds('text', [[60, 'orange'], [300, 'red']]),
        'custom.cellOptions': { type: 'color-text' },
      }
    ),
    state('scrape', 'max by (job, instance) (%s)' % up, [[0, 'DOWN', 'red'], [1, 'up', 'text']]),
  ];
  tables.table(
    'Hosts by risk',
    'One row per host, the highest probability of high load first. A click on the instance opens its host dashboard. '
    + 'Columns of horizons: `horizons` of the mixin.',
    ['instance', 'job'],
    columns,
    panels.width,
    14,
    'highest probability',
    descending=true
  ) + {
    fieldConfig+: { overrides+: [panels.override('instance', { links: [hostLink] })] },
  };

local history = [
  panels.timeSeries(
    'Highest probability of high load',
    'Highest probability over the horizons, of the ten hosts with the highest at each time.',
    [panels.query('topk(10, max by (job, instance) (%s))' % metric('high_load_probability'))],
    'percentunit',
    12,
    field=panels.ratio
  ),
  panels.timeSeries(
    'Hosts with warnings, high load or anomalies',
    'Number of hosts with a high-load warning, under high load, or with an anomaly in progress.',
    [
      {
        expr: 'sum(max by (job, instance) (%s))' % metric('high_load_warning'),
        legend: 'warning',
      },
      { expr: 'sum(%s)' % metric('high_load_active'), legend: 'high load' },
      { expr: 'sum(%s)' % metric('anomaly_active'), legend: 'anomaly' },
    ],
    'short',
    12,
    field={ min: 0, decimals: 0 },
    custom=panels.steps,
    overrides=[
      panels.override('warning', { color: panels.fixedColor('orange') }),
      panels.override('high load', { color: panels.fixedColor('red') }),
      panels.override('anomaly', { color: panels.fixedColor('purple') }),
    ]
  ),
];

function(config) dashboard.dashboard(
  'fleet',
  'Fleet',
  'All hosts by risk: probability of high load, warnings, anomalies, models and samples.',
  'now-6h',
  '30s',
  [
    dashboard.row('', counts + [hosts(config.horizons)]),
    dashboard.row('History', history),
  ],
  allInstances=true
)
