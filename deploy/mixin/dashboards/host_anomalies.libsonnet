// Anomaly panels of the host dashboard: scores, attributions and events of the anomaly detector.
local panels = import '../lib/panels.libsonnet';

local metric = panels.metric;
local query = panels.query;

[
  panels.timeSeries(
    'Anomaly score over threshold',
    'Score over alarm threshold per channel: several metrics together or one for hours (joint), a sudden jump of one '
    + '(spike), unchanged values (flatline). An anomaly starts at 1.',
    [query(metric('anomaly_evidence_ratio'), '{{channel}}')],
    'none',
    7,
    field={ min: 0, thresholds: panels.thresholds('transparent', [[1, 'red']]) },
    custom={ axisSoftMax: 1.1 }
  ),
  panels.timeSeries(
    'Contribution per metric',
    'Contributions to the anomaly score. Meaningful while the score is high; otherwise noise.',
    [query(metric('anomaly_contribution'), '{{metric}}')],
    'percentunit',
    7,
    field={ min: 0 },
    custom=panels.stacked { fillOpacity: 50, axisSoftMax: 1 }
  ),
  panels.timeSeries(
    'Anomaly score',
    '1 minus the probability that six normal hours reach this score. It ranks times; the channels raise alarms.',
    [query(metric('anomaly_score'), 'score')],
    'none',
    5,
    field=panels.ratio
  ),
  panels.timeSeries(
    'Alarms in 30 days',
    'Anomaly events of the last 30 days without the verdict incident, and the false-alarm budget.',
    [
      query(metric('anomaly_alarms_per_month'), 'alarms'),
      query(metric('anomaly_allowed_per_month'), 'budget'),
    ],
    'none',
    5,
    field={ min: 0 },
    custom=panels.steps,
    overrides=[panels.dashedLine('/ budget$/', 'orange')]
  ),
  panels.stat(
    'Anomaly started',
    'Start of the anomaly in progress.',
    query(panels.timestamp('anomaly_started_timestamp_seconds') + ' and %s == 1' % metric('anomaly_active')),
    'dateTimeFromNow',
    6,
    { noValue: 'none in progress' }
  ),
  panels.stat(
    'Events in range',
    'Anomaly events that started in the time range of the dashboard.',
    query(panels.increase('anomaly_events_total')),
    width=6,
    field={ decimals: 0 }
  ),
  panels.stat(
    'Events in total',
    'Anomaly events in the database; `monitor anomalies list` shows them.',
    query(metric('anomaly_events_total')),
    width=6,
    field={ decimals: 0 }
  ),
  panels.stat(
    'Last score',
    'Time since the last score. A few minutes are normal, as the detector uses whole minutes.',
    query('time() - ' + metric('anomaly_timestamp_seconds')),
    's',
    6,
    {
      decimals: 0,
      thresholds: panels.thresholds('green', [[900, 'orange'], [3600, 'red']]),
      noValue: 'no detector',
    }
  ),
]
