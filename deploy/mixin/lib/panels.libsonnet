// Panels in the JSON model of Grafana, and the selectors of their queries.
local dataSource = { type: 'prometheus', uid: '${datasource}' };

{
  dataSource:: dataSource,

  // Label matchers of the selected daemons.
  matchers:: 'job=~"$job", instance=~"$instance"',

  // Width of the grid.
  width:: 24,

  // Selector of a metric of the selected daemons.
  metric(name, labels='')::
    // Concatenation: std.format of the C++ implementation takes most of the time of the evaluation.
    'monitor_' + name + '{' + $.matchers + (if labels == '' then '' else ', ' + labels) + '}',

  // Expression with one value per daemon and horizon, for tables.
  perHorizon(name):: 'max by (job, instance, horizon) (' + $.metric(name) + ')',

  rate(name):: 'rate(' + $.metric(name) + '[$__rate_interval])',

  // Counts in the time range of the dashboard.
  increase(name):: 'round(increase(' + $.metric(name) + '[$__range]))',

  // Time from now to a timestamp, for the unit dateTimeFromNow.
  timestamp(name):: $.metric(name) + ' * 1000',

  // A query; `legend` follows the name of the instance.
  query(expr, legend='')::
    { expr: expr, legend: '{{instance}}' + (if legend == '' then '' else ' ' + legend) },

  target(index, expr, legend, instant, format):: {
    datasource: dataSource,
    editorMode: 'code',
    expr: expr,
    format: format,
    instant: instant,
    legendFormat: legend,
    range: !instant,
    refId: std.char(std.codepoint('A') + index),
  },

  local targets(queries, instant) =
    std.mapWithIndex(function(i, query) $.target(i, query.expr, query.legend, instant, 'time_series'), queries),

  // Thresholds from a base colour and pairs [value, colour]: each colour holds from its value on.
  thresholds(base, above=[]):: {
    mode: 'absolute',
    steps: [{ color: base, value: null }] + [{ color: step[1], value: step[0] } for step in above],
  },

  // Value mappings from triples [number, text, colour].
  mappings(texts):: [{
    type: 'value',
    options: { ['%d' % text[0]]: { text: text[1], color: text[2], index: text[0] } for text in texts },
  }],

  // Field properties of the series with a name, or of those that match a /regular expression/.
  override(name, properties):: {
    matcher: { id: if std.startsWith(name, '/') then 'byRegexp' else 'byName', options: name },
    properties: [{ id: id, value: properties[id] } for id in std.objectFields(properties)],
  },

  fixedColor(color):: { mode: 'fixed', fixedColor: color },

  dashedLine(name, color):: $.override(name, {
    'custom.lineStyle': { fill: 'dash', dash: [8, 6] },
    'custom.fillOpacity': 0,
    color: $.fixedColor(color),
  }),

  panel(type, title, description, width, height):: {
    type: type,
    title: title,
    description: description,
    datasource: dataSource,
    gridPos: { w: width, h: height, x: 0, y: 0 },
    fieldConfig: { defaults: {}, overrides: [] },
  },

  // One panel per selected horizon.
  perSelectedHorizon:: { repeat: 'horizon', repeatDirection: 'h', maxPerRow: 3 },

  ratio:: { min: 0, max: 1 },

  local reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false },

  // Present value of each instance. Mappings colour the background.
  stat(title, description, query, unit='none', width=3, field={}, textMode='auto')::
    $.panel('stat', title, description, width, 4) {
      targets: targets([query], true),
      fieldConfig+: {
        defaults: {
          color: { mode: 'thresholds' },
          noValue: '-',
          thresholds: $.thresholds('text'),
          unit: unit,
        } + field,
      },
      options: {
        colorMode: if std.objectHas(field, 'mappings') then 'background' else 'value',
        graphMode: 'none',
        justifyMode: 'auto',
        orientation: 'auto',
        percentChangeColorMode: 'standard',
        reduceOptions: reduceOptions,
        showPercentChange: false,
        textMode: textMode,
        wideLayout: true,
      },
    },

  // `field` has thresholds where lines are to be drawn.
  timeSeries(title, description, queries, unit, width=8, height=8, field={}, custom={}, overrides=[], calcs=[])::
    $.panel('timeseries', title, description, width, height) {
      targets: targets(queries, false),
      fieldConfig: {
        defaults: {
          color: { mode: 'palette-classic' },
          custom: {
            drawStyle: 'line',
            fillOpacity: 0,
            lineInterpolation: 'linear',
            lineWidth: 1,
            scaleDistribution: { type: 'linear' },
            showPoints: 'auto',
            spanNulls: false,
            stacking: { group: 'A', mode: 'none' },
            thresholdsStyle: { mode: if std.objectHas(field, 'thresholds') then 'dashed' else 'off' },
          } + custom,
          thresholds: $.thresholds('transparent'),
          unit: unit,
        } + field,
        overrides: overrides,
      },
      options: {
        legend: {
          calcs: calcs,
          displayMode: if calcs == [] then 'list' else 'table',
          placement: 'bottom',
          showLegend: true,
        },
        tooltip: { hideZeros: false, mode: 'multi', sort: 'desc' },
      },
    },

  // Properties of time series for `custom`.
  steps:: { lineInterpolation: 'stepAfter' },
  logarithmic:: { scaleDistribution: { type: 'log', log: 10 } },
  stacked:: { stacking: { group: 'A', mode: 'normal' }, fillOpacity: 20 },
  bars:: { drawStyle: 'bars', fillOpacity: 60 },

  stateTimeline(title, description, queries, width, height, mappings, overrides=[])::
    $.panel('state-timeline', title, description, width, height) {
      targets: targets(queries, false),
      fieldConfig: {
        defaults: {
          color: { mode: 'thresholds' },
          custom: { fillOpacity: 70, lineWidth: 0 },
          mappings: mappings,
          thresholds: $.thresholds('text'),
          unit: 'none',
        },
        overrides: overrides,
      },
      options: {
        alignValue: 'left',
        legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: false },
        mergeValues: true,
        rowHeight: 0.8,
        showValue: 'auto',
        tooltip: { hideZeros: false, mode: 'single', sort: 'none' },
      },
    },

  // Present values as bars.
  barGauge(title, description, query, unit, width, height, field={})::
    $.panel('bargauge', title, description, width, height) {
      targets: targets([query], true),
      fieldConfig+: {
        defaults: { color: { mode: 'thresholds' }, thresholds: $.thresholds('blue'), unit: unit } + field,
      },
      options: {
        displayMode: 'basic',
        legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: false },
        maxVizHeight: 28,
        minVizHeight: 12,
        minVizWidth: 8,
        namePlacement: 'left',
        orientation: 'horizontal',
        reduceOptions: reduceOptions,
        showUnfilled: true,
        sizing: 'manual',
        valueMode: 'color',
      },
    },
}
