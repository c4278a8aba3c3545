// Alerts. Severities: critical needs a person now, warning today, info when there is time.
//
// Conditions that may toggle must hold for a while (`for`), and a firing alert outlasts a short interruption
// (`keep_firing_for`), such as a restart of the daemon or a probability at its threshold.
local groups = [
  { dashboard: 'host', group: import 'high_load.libsonnet' },
  { dashboard: 'host', group: import 'anomalies.libsonnet' },
  { dashboard: 'host', group: import 'capacity.libsonnet' },
  { dashboard: 'daemon', group: import 'sampling.libsonnet' },
  { dashboard: 'quality', group: import 'predictions.libsonnet' },
  { dashboard: 'training', group: import 'training.libsonnet' },
  { dashboard: 'daemon', group: import 'storage.libsonnet' },
  { dashboard: 'daemon', group: import 'daemon.libsonnet' },
];

local host = '?var-job={{ $labels.job | urlquery }}&var-instance={{ $labels.instance | urlquery }}';

// An alert without the label instance sets the hidden field `fleet`.
local dashboardURL(config, dashboard, rule) =
  config.grafanaURL + (if std.objectHasAll(rule, 'fleet') then '/d/monitor-fleet' else '/d/monitor-' + dashboard + host);

local withLinks(config, dashboard, rule) = rule {
  annotations+: {
    runbook_url: config.runbookURLPattern % rule.alert,
    dashboard_url: dashboardURL(config, dashboard, rule),
  },
};

{
  prometheusAlerts+:: {
    groups+: [
      local group = entry.group($._config);
      group { rules: [withLinks($._config, entry.dashboard, rule) for rule in group.rules] }
      for entry in groups
    ],
  },
}
