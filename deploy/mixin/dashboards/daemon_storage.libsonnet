// Storage panels of the daemon dashboard: size, free space, history and failures.
local panels = import '../lib/panels.libsonnet';

local metric = panels.metric;
local query = panels.query;

[
  panels.timeSeries(
    'Database size',
    'Database with write-ahead log, and the log alone. The database stops growing when samples reach `storage.retention`, '
    + '90 days by default. A log above 64 MiB is pinned by a reader.',
    [query(metric('storage_size_bytes'), 'size'), query(metric('storage_wal_bytes'), 'write-ahead log')],
    'bytes',
    5,
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Free space',
    'Free space for the daemon on the file system of the database. Below 512 MiB there is an alert; at 0 samples wait in '
    + 'memory.',
    [query(metric('storage_free_bytes'), 'free')],
    'bytes',
    5,
    field={ min: 0 }
  ),
  panels.timeSeries(
    'History',
    'Time from the oldest to the newest stored sample.',
    [
      query(
        '%s - %s' % [
          metric('last_sample_timestamp_seconds'),
          metric('storage_oldest_sample_timestamp_seconds'),
        ],
        'history'
      ),
    ],
    's',
    4,
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Storage failures',
    'Buffered samples; failed writes and dropped samples since the start. They rise in an outage.',
    [
      query(metric('storage_buffered_samples'), 'waiting'),
      query(metric('storage_write_failures_total'), 'failed'),
      query(metric('samples_dropped_total'), 'dropped'),
      query(metric('storage_quarantined_files'), 'moved aside'),
      query('1 - ' + metric('storage_available'), 'unavailable'),
    ],
    'short',
    5,
    field={ min: 0, decimals: 0 },
    overrides=[panels.override('/ failed$/', { color: panels.fixedColor('red') })]
  ),
  panels.timeSeries(
    'Damage',
    'Files moved aside since the start of the daemon, damaged rows and quarantined models.',
    [
      query(metric('storage_quarantines_total'), 'moved aside since the start'),
      query(metric('storage_damaged_rows'), 'rows {{table}}'),
      query(metric('models_quarantined'), 'models {{part}}'),
    ],
    'short',
    5,
    field={ min: 0, decimals: 0 }
  ),
]
