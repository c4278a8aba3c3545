// Settings. Override them with `(import 'mixin/mixin.libsonnet') + { _config+:: { ... } }`.
{
  _config+:: {
    // Label matchers of the daemons in alerts and recording rules.
    selector: 'job="monitor"',

    // Addresses in the annotations of alerts. Placeholders: set both to your own.
    // `%s` is the name of the alert.
    runbookURLPattern: 'https://monitor.example.com/docs/runbooks/%s.md',
    // Root of Grafana, without a slash at the end.
    grafanaURL: 'https://grafana.example.com',

    // Horizons with a column on the fleet dashboard: `high_load.horizons` of the daemons, nearest first.
    horizons: ['5m', '15m', '1h'],

    // Predicted high load, nearest horizon first. A horizon belongs to the first class whose regular expression matches it.
    // The name is the label `horizon_class`, which lets classes have the same severity. A firing alert of a nearer class
    // suppresses those of later classes, so a nearer class needs a shorter `for`.
    highLoadClasses: [
      { name: 'short', horizons: '[0-9]+s|[1-5]m', severity: 'warning', 'for': '30s' },
      { name: 'medium', horizons: '[6-9]m|[12][0-9]m|30m', severity: 'warning', 'for': '2m' },
      { name: 'long', horizons: '.+', severity: 'info', 'for': '5m' },
    ],

    // Age of the newest sample, in seconds. Raise it where `sampling.interval` is above 10 minutes.
    maxSampleAge: 600,
    // Time from the newest prediction to the newest sample, in seconds.
    maxPredictionLag: 300,
    // Days of history after which a host must have a model.
    historyForModel: 3,

    // Number of scored predictions from which the live skill of a horizon counts.
    minScoredPredictions: 2000,
    // Population stability index above which a metric has drifted, as in the program.
    driftThreshold: 0.25,
    // Share of dead units in one layer, from which the training report has advice too.
    deadUnitsLimit: 0.4,
    // Refused training runs in a week without a promotion.
    maxRefusals: 3,
    // Days of training runs without a promotion, for hosts that train rarely.
    maxDaysWithoutPromotion: 28,

    // Capacity of the write buffer, in samples, as in the program.
    bufferCapacity: 20000,
    // Fill level of the write buffer.
    maxBufferFill: 0.5,
    // Free bytes on the file system of the database. Half a gibibyte is the history of months.
    minFreeBytes: '512 * 2^20',
    // Free bytes below which the trend counts. Above it, one large temporary file looks like a disk that fills up.
    trendFreeBytes: '10 * 2^30',
    // Bytes of the write-ahead log. SQLite truncates it to 16 MiB unless a reader still needs it.
    maxLogBytes: '64 * 2^20',

    // Share of missed runs of a job within an hour.
    maxMissedRuns: 0.1,
  },
}
