// Dashboard of the daemon: sampling, jobs, storage and scrapes.
local dashboard = import '../lib/dashboard.libsonnet';
local panels = import '../lib/panels.libsonnet';
local jobs = import 'daemon_jobs.libsonnet';
local storage = import 'daemon_storage.libsonnet';

local metric = panels.metric;
local query = panels.query;
local mappings = panels.mappings;
// A series that Prometheus adds to each target.
local ofTarget(name) = '%s{%s}' % [name, panels.matchers];

local current = [
  panels.stat(
    'Scrape',
    '1 while Prometheus can scrape the daemon.',
    query(ofTarget('up')),
    field={ mappings: mappings([[0, 'DOWN', 'red'], [1, 'up', 'green']]), noValue: 'not scraped' }
  ),
  panels.stat(
    'Version',
    'Running version of monitor and of Python.',
    query(metric('build_info'), '{{version}} (Python {{python}})'),
    textMode='name'
  ),
  panels.stat(
    'Configuration',
    'Result of the last reload. After a failure the log names each wrong key, and the old configuration stays.',
    query(metric('config_last_reload_successful')),
    field={ mappings: mappings([[0, 'RELOAD FAILED', 'red'], [1, 'in effect', 'green']]) }
  ),
  panels.stat(
    'Configuration loaded',
    'Time of the last start or successful reload.',
    query(panels.timestamp('config_last_reload_success_timestamp_seconds')),
    'dateTimeFromNow'
  ),
  panels.stat(
    'Failed reloads',
    'Failed reloads of the configuration in the time range.',
    query(panels.increase('config_reload_failures_total')),
    'short',
    field={ decimals: 0, thresholds: panels.thresholds('green', [[1, 'orange']]) }
  ),
  panels.stat(
    'Missed samples',
    'Missed samples in the time range.',
    query(panels.increase('samples_missed_total')),
    'short',
    field={ decimals: 0, thresholds: panels.thresholds('green', [[1, 'orange']]) }
  ),
  panels.stat(
    'Write failures',
    'Failed writes in the time range.',
    query(panels.increase('storage_write_failures_total')),
    'short',
    field={ decimals: 0, thresholds: panels.thresholds('green', [[1, 'red']]) }
  ),
  panels.stat(
    'Buffered samples',
    'Samples in the write buffer, up to 20,000 while the database cannot be written.',
    query(metric('storage_buffered_samples')),
    'short',
    field={ decimals: 0, thresholds: panels.thresholds('green', [[100, 'orange'], [10000, 'red']]) }
  ),
];

local sampling = [
  panels.timeSeries(
    'Samples and predictions',
    'Samples, missed samples and predictions per second. The default interval of 5 s gives 0.2.',
    [
      query(panels.rate('samples_total'), 'samples'),
      query(panels.rate('samples_missed_total'), 'missed'),
      query(panels.rate('predictions_total'), 'predictions'),
    ],
    'cps',
    field={ min: 0 },
    overrides=[panels.override('/ missed$/', { color: panels.fixedColor('red') })]
  ),
  panels.stateTimeline(
    'Source state',
    'State of each source. The metrics of a failed source are missing.',
    [query(metric('source_success'), '{{source}}')],
    8,
    8,
    mappings([[0, 'failed', 'red'], [1, 'ok', 'green']])
  ),
  panels.timeSeries(
    'Source failures',
    'Failed and implausible readings per second and source.',
    [query(panels.rate('source_failures_total'), '{{source}}')],
    'cps',
    4
  ),
  panels.timeSeries(
    'Source duration',
    'Duration of each source in the last sampling cycle.',
    [query(metric('source_duration_seconds'), '{{source}}')],
    's',
    4,
    field={ min: 0 }
  ),
];

local scrape = [
  panels.timeSeries(
    'Scrape duration',
    'Duration of a scrape of the metrics page.',
    [query(ofTarget('scrape_duration_seconds'), 'duration')],
    's',
    12,
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Scraped series',
    'Number of series. It depends on sources, horizons and model.',
    [query(ofTarget('scrape_samples_scraped'), 'series')],
    'short',
    12,
    field={ min: 0, decimals: 0 }
  ),
];

dashboard.dashboard(
  'daemon',
  'Daemon',
  'Sampling, storage, jobs and scrapes of the daemon, and their cost.',
  'now-6h',
  '30s',
  [
    dashboard.row('', current),
    dashboard.row('Sampling', sampling),
    dashboard.row('Jobs', jobs),
    dashboard.row('Storage', storage),
    dashboard.row('Scrapes', scrape),
  ]
)
