local templates = import '../lib/templates.libsonnet';

function(config) {
  name: 'monitor-sampling',
  rules: [
    {
      alert: 'MonitorDown',
      expr: 'up{%(selector)s} == 0' % config,
      'for': '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} cannot be scraped',
        description: 'Prometheus could not scrape {{ $labels.instance }} for 5 minutes. Its load is not predicted.',
      },
    },
    {
      alert: 'MonitorAbsent',
      fleet:: true,
      expr: 'absent(up{%(selector)s})' % config,
      'for': '15m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Prometheus has no target of monitor',
        description: 'There has been no target with %(selector)s for 15 minutes. No load is predicted.' % config,
      },
    },
    // The page drops the last sample soon after sampling stops, so its absence counts as much as its age.
    {
      alert: 'MonitorSamplingStopped',
      expr: |||
        (monitor_build_info{%(selector)s} unless on (job, instance) monitor_last_sample_timestamp_seconds{%(selector)s})
        or on (job, instance)
        (time() - monitor_last_sample_timestamp_seconds{%(selector)s} > %(maxSampleAge)s)
      ||| % config,
      'for': '2m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'monitor on {{ $labels.instance }} takes no samples',
        description: 'The daemon on {{ $labels.instance }} answers, but has no recent sample. It makes no predictions.',
      },
    },
    {
      alert: 'MonitorFleetSourceFailing',
      expr: 'monitor_fleet_source_success{%(selector)s} == 0' % config,
      'for': '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The fleet process on {{ $labels.instance }} cannot read its source',
        description:
          'The server that the fleet process on {{ $labels.instance }} reads has not answered for 5 minutes. No host of the fleet '
          + 'is predicted.',
      },
    },
    {
      alert: 'MonitorSourceFailing',
      expr: 'count without (source) (monitor_source_success{%(selector)s} == 0)' % config,
      'for': '15m',
      labels: { severity: 'info' },
      annotations: {
        summary: 'A source of monitor on {{ $labels.instance }} fails',
        description:
          '{{ printf "%.0f" $value }} of the sources on {{ $labels.instance }} failed for 15 minutes: {{ range $i, $result := '
          + templates.query('monitor_source_success{job=%q,instance=%q} == 0')
          + ' | sortByLabel "source" }}{{ if $i }}, {{ end }}{{ .Labels.source }}{{ end }}.',
      },
    },
  ],
}
