local templates = import '../lib/templates.libsonnet';

local baseRate =
  templates.query(
    'monitor_high_load_baseline_probability{job=%q,instance=%q,host=%q,horizon=%q}',
    '$labels.job $labels.instance $labels.host $labels.horizon'
  );

// `level` is no metric, but the difference of an average time from the base rate.
local contributions =
  "sort_desc(topk(3, monitor_high_load_contribution{job=%q,instance=%q,horizon=%q,metric!='level'} > 0))";

local description =
  'The probability of high load on {{ or $labels.host $labels.instance }} within {{ $labels.horizon }} is {{ $value | humanizePercentage }}'
  + '{{ with ' + baseRate + ' }}; the base rate is {{ . | first | value | humanizePercentage }}{{ end }}.'
  + '{{ with ' + templates.query(contributions, '$labels.job $labels.instance $labels.horizon') + ' }}'
  + ' Largest contributions to the log-odds: '
  + '{{ range $i, $result := . }}{{ if $i }}, {{ end }}{{ .Labels.metric }} (+{{ printf "%.1f" .Value }}){{ end }}.{{ end }}';

// One alert per host, which is the label `host` of a fleet process, else the instance: after a longer horizon, a nearer one raises an alert of its own. None starts while load is high.
local rule(config, index) =
  local class = config.highLoadClasses[index];
  local nearer = config.highLoadClasses[0:index];
  local join(field) = std.join('|', [other[field] for other in nearer]);
  local horizons =
    'horizon=~"%s"' % class.horizons + (if index > 0 then ', horizon!~"%s"' % join('horizons') else '');
  {
    alert: 'MonitorHighLoadComing',
    expr:
      |||
        (
          monitor_high_load_probability{%(selector)s, %(horizons)s}
          and (monitor_high_load_warning{%(selector)s} == 1)
        )
        unless on (job, instance, host) (monitor_high_load_active{%(selector)s} == 1)
      ||| % (config { horizons: horizons })
      + (if index > 0 then |||
           unless on (job, instance, host)
           ALERTS{alertname="MonitorHighLoadComing", alertstate="firing", horizon_class=~"%s"}
         ||| % join('name') else ''),
    'for': class['for'],
    keep_firing_for: '10m',
    labels: { severity: class.severity, horizon_class: class.name },
    annotations: {
      summary: 'High load on {{ or $labels.host $labels.instance }} within {{ $labels.horizon }}',
      description: description,
    },
  };

function(config) {
  name: 'monitor-high-load',
  interval: '15s',
  rules: [rule(config, index) for index in std.range(0, std.length(config.highLoadClasses) - 1)],
}
