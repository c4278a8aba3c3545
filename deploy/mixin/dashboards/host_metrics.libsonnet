// Host metric panels of the host dashboard, related metrics together.
local panels = import '../lib/panels.libsonnet';

local metric = panels.metric;
local query = panels.query;

function(absent) [
  panels.timeSeries(
    'CPU usage',
    'Shares of CPU time: busy, I/O wait, and stolen by the hypervisor. ' + absent,
    [
      query(metric('host_cpu_usage_ratio') + ' - ' + metric('host_cpu_steal_ratio'), 'busy'),
      query(metric('host_cpu_iowait_ratio'), 'I/O wait'),
      query(metric('host_cpu_steal_ratio'), 'stolen'),
    ],
    'percentunit',
    field={ min: 0 },
    custom=panels.stacked { axisSoftMax: 1 }
  ),
  panels.timeSeries(
    'Load average per CPU',
    '1-minute load average over the number of CPUs. ' + absent,
    [query(metric('host_load_per_cpu_ratio'), 'load per CPU')],
    'none',
    field={ min: 0, thresholds: panels.thresholds('transparent', [[1, 'orange']]) },
    custom={ axisSoftMax: 1.1 }
  ),
  panels.timeSeries(
    'Pressure stall information',
    'Share of time in which some task waited for CPU, memory or I/O (Linux PSI). ' + absent,
    [
      query(metric('host_pressure_cpu_ratio'), 'CPU'),
      query(metric('host_pressure_memory_ratio'), 'memory'),
      query(metric('host_pressure_io_ratio'), 'I/O'),
    ],
    'percentunit',
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Memory and swap usage',
    'Shares of unavailable memory and of used swap space. ' + absent,
    [query(metric('host_memory_usage_ratio'), 'memory'), query(metric('host_swap_usage_ratio'), 'swap')],
    'percentunit',
    field=panels.ratio
  ),
  panels.timeSeries(
    'Disk throughput',
    'Bytes read from all physical disks, and written (negative). ' + absent,
    [
      query(metric('host_disk_read_bytes_per_second'), 'read'),
      query(metric('host_disk_write_bytes_per_second'), 'written'),
    ],
    'Bps',
    custom={ fillOpacity: 10 },
    overrides=[panels.override('/ written$/', { 'custom.transform': 'negative-Y' })]
  ),
  panels.timeSeries(
    'Disk utilisation',
    'Share of time in which the busiest disk was busy. ' + absent,
    [query(metric('host_disk_busy_ratio'), 'busy')],
    'percentunit',
    field=panels.ratio
  ),
  panels.timeSeries(
    'Network throughput',
    'Bytes received over all monitored interfaces, and transmitted (negative). ' + absent,
    [
      query(metric('host_network_receive_bytes_per_second'), 'received'),
      query(metric('host_network_transmit_bytes_per_second'), 'transmitted'),
    ],
    'Bps',
    custom={ fillOpacity: 10 },
    overrides=[panels.override('/ transmitted$/', { 'custom.transform': 'negative-Y' })]
  ),
  panels.timeSeries(
    'Network utilisation',
    'Busier direction of the busiest interface over its link speed. ' + absent,
    [query(metric('host_network_usage_ratio'), 'in use')],
    'percentunit',
    field=panels.ratio
  ),
  panels.timeSeries(
    'Network errors and drops',
    'Errors and drops over all monitored interfaces. ' + absent,
    [query(metric('host_network_errors_per_second'), 'errors and drops')],
    'cps',
    field={ min: 0 }
  ),
]
