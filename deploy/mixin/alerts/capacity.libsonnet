function(config) {
  name: 'monitor-capacity',
  rules: [
    {
      alert: 'MonitorFilesystemFilling',
      expr: |||
        monitor_filesystem_full_probability{%(selector)s}
        and (monitor_filesystem_full_warning{%(selector)s} == 1)
      ||| % config,
      'for': '10m',
      keep_firing_for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The file system {{ $labels.mountpoint }} of {{ $labels.instance }} is filling up',
        description:
          'The file system {{ $labels.mountpoint }} of {{ $labels.instance }} is full within {{ $labels.horizon }} with a '
          + 'probability of {{ $value | humanizePercentage }}.',
      },
    },
    {
      alert: 'MonitorMemoryExhaustion',
      expr: |||
        monitor_memory_exhaustion_probability{%(selector)s}
        and (monitor_memory_exhaustion_warning{%(selector)s} == 1)
      ||| % config,
      keep_firing_for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The memory of {{ $labels.instance }} will be exhausted',
        description:
          'The memory of {{ $labels.instance }} is exhausted within {{ $labels.horizon }} with a probability of '
          + '{{ $value | humanizePercentage }}.',
      },
    },
  ],
}
