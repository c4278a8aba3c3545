// Dashboards by file name. They select daemons by the variables datasource, job and instance.
{
  grafanaDashboards+:: {
    'fleet.json': (import 'fleet.libsonnet')($._config),
    'host.json': import 'host.libsonnet',
    'quality.json': import 'quality.libsonnet',
    'training.json': import 'training.libsonnet',
    'daemon.json': import 'daemon.libsonnet',
  },
}
