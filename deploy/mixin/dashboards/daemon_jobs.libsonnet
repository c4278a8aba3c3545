// Job panels of the daemon dashboard: durations, runs, failures and hung jobs.
local panels = import '../lib/panels.libsonnet';

// Prometheus sets the label `job` itself and renames the label `job` of a metric to this one.
local job = '{{exported_job}}';

local quantile(share, name) =
  'histogram_quantile(%s, sum by (le, instance, exported_job) (%s))' % [share, panels.rate(name + '_bucket')];

// Some jobs run at most once a minute: a shorter range could contain none of their runs.
local perJob(title, description, unit, queries, custom={}) =
  panels.timeSeries(title, description, queries, unit, field={ min: 0 }, custom=custom) + { interval: '5m' };

local quarter = { gridPos+: { w: panels.width / 4 } };

[
  perJob(
    'Job duration, median',
    'Median duration per job, interpolated within a histogram bucket.',
    's',
    [panels.query(quantile('0.5', 'job_duration_seconds'), job)]
  ),
  perJob(
    'Job duration, 99th percentile',
    '99th percentile of the duration per job. The last bucket ends at 10 s.',
    's',
    [panels.query(quantile('0.99', 'job_duration_seconds'), job)]
  ),
  perJob(
    'CPU time of jobs',
    'Share of one core that each job uses. The writes to the database and scrapes come on top.',
    'percentunit',
    [panels.query(panels.rate('job_cpu_seconds_total'), job)],
    panels.stacked
  ),
  perJob(
    'Start delay of jobs, 99th percentile',
    '99th percentile of the delay of a run. More than a few hundredths of a second for `sample` mean a busy host or disk.',
    's',
    [panels.query(quantile('0.99', 'job_delay_seconds'), job)]
  ),
  perJob('Job runs', 'Runs per second and job.', 'cps', [panels.query(panels.rate('job_runs_total'), job)]),
  perJob(
    'Job failures and missed runs',
    'Failed and missed runs per second. Normally zero.',
    'cps',
    [
      panels.query(panels.rate('job_failures_total'), 'failed ' + job),
      panels.query(panels.rate('job_missed_total'), 'missed ' + job),
    ]
  ),
  perJob(
    'Hung jobs',
    '1 while a run exceeds its deadline or the runs of a job have stopped. Normally zero.',
    'short',
    [panels.query(panels.metric('job_hung'), job)]
  ) + quarter,
  perJob(
    'Time since the last successful run',
    'Seconds since the last run of a job without an error.',
    's',
    [panels.query('time() - ' + panels.metric('job_last_success_timestamp_seconds'), job)]
  ) + quarter,
  perJob(
    'Notifications',
    'Outcomes of notifications per second and channel, and the number that waits. Normally only deliveries.',
    'short',
    [
      panels.query(panels.rate('notifications_total'), '{{outcome}} {{channel}}'),
      panels.query(panels.metric('notifications_pending'), 'waiting {{channel}}'),
    ]
  ) + quarter,
  perJob(
    'Dropped log lines',
    'Log lines per second that could not be written, as nobody reads stderr. Normally zero.',
    'cps',
    [panels.query(panels.rate('log_dropped_total'), 'dropped')]
  ) + quarter,
  perJob(
    'Time since the last notification',
    'Seconds since the last delivery and since the last failed attempt of each channel.',
    's',
    [
      panels.query('time() - ' + panels.metric('notification_last_success_timestamp_seconds'), 'delivery {{channel}}'),
      panels.query('time() - ' + panels.metric('notification_last_failure_timestamp_seconds'), 'failure {{channel}}'),
    ]
  ) + { gridPos+: { w: panels.width } },
]
