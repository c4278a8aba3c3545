local templates = import '../lib/templates.libsonnet';

function(config) {
  name: 'monitor-storage',
  rules: [
    {
      alert: 'MonitorStorageWriteFailing',
      expr: 'increase(monitor_storage_write_failures_total{%(selector)s}[10m]) > 0' % config,
      'for': '5m',
      keep_firing_for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} cannot write its history',
        description:
          '{{ printf "%.0f" $value }} writes failed on {{ $labels.instance }} in 10 minutes. Samples wait in memory.',
      },
    },
    {
      alert: 'MonitorStorageBufferFilling',
      expr: 'instance:monitor_storage_buffered_samples:ratio > %(maxBufferFill)g' % config,
      'for': '5m',
      labels: { severity: 'critical' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} is about to lose samples',
        description:
          'The write buffer on {{ $labels.instance }} is {{ $value | humanizePercentage }} full. When it is full, the oldest '
          + 'samples are dropped.',
      },
    },
    // It ends when the files are salvaged and moved away: nothing deletes them.
    {
      alert: 'MonitorStorageQuarantined',
      expr: 'monitor_storage_quarantined_files{%(selector)s} > 0' % config,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} moved a damaged database aside',
        description:
          '{{ printf "%.0f" $value }} damaged databases on {{ $labels.instance }} were moved aside. '
          + 'The history has started again.',
      },
    },
    {
      alert: 'MonitorSamplesDropped',
      expr: 'increase(monitor_samples_dropped_total{%(selector)s}[15m]) > 0' % config,
      keep_firing_for: '15m',
      labels: { severity: 'critical' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} loses samples',
        description:
          '{{ printf "%.0f" $value }} samples on {{ $labels.instance }} were lost in 15 minutes, because the database has been '
          + 'unavailable for too long.',
      },
    },
    // The second part sees a disk that fills up in time to do something.
    {
      alert: 'MonitorStorageNearlyFull',
      expr: |||
        monitor_storage_free_bytes{%(selector)s} < %(minFreeBytes)s
        or
        (
          monitor_storage_free_bytes{%(selector)s} < %(trendFreeBytes)s
          and predict_linear(monitor_storage_free_bytes{%(selector)s}[6h], 86400) < 0
        )
      ||| % config,
      'for': '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The file system of the history on {{ $labels.instance }} is nearly full',
        description:
          '{{ $value | humanize1024 }}B are free on the file system of the database on {{ $labels.instance }}, or it will be '
          + 'full within a day. The database has '
          + templates.value('monitor_storage_size_bytes{job=%q,instance=%q}', 'humanize1024') + 'B.',
      },
    },
    {
      alert: 'MonitorStorageLogGrowing',
      expr: 'monitor_storage_wal_bytes{%(selector)s} > %(maxLogBytes)s' % config,
      'for': '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'A reader keeps the write-ahead log on {{ $labels.instance }} from being emptied',
        description:
          'The write-ahead log of the database on {{ $labels.instance }} has {{ $value | humanize1024 }}B. A process has been '
          + 'reading the database for too long.',
      },
    },
  ],
}
