// Dashboards: variables, annotations, links and the layout of panels.
local panels = import 'panels.libsonnet';

local queryVariable(name, label, description, query) = {
  name: name,
  label: label,
  description: description,
  type: 'query',
  datasource: panels.dataSource,
  definition: query,
  query: { qryType: 1, query: query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
  hide: 0,
  includeAll: true,
  multi: true,
  refresh: 2,
  regex: '',
  sort: 1,
};

local dataSourceVariable = {
  name: 'datasource',
  label: 'Data source',
  description: 'The Prometheus that scrapes the daemons.',
  type: 'datasource',
  query: 'prometheus',
  hide: 0,
  includeAll: false,
  multi: false,
  refresh: 1,
  regex: '',
};

local all = { current: { text: ['All'], value: ['$__all'] } };

// Without `allValue`, All is the list of jobs with daemons: `up` exists for other jobs too.
local variables(allInstances, perHorizon) = [
  dataSourceVariable,
  queryVariable('job', 'Job', 'The scrape jobs of the daemons.', 'label_values(monitor_build_info, job)') + all,
  queryVariable(
    'instance', 'Instance', 'The hosts to look at.', 'label_values(monitor_build_info{job=~"$job"}, instance)'
  ) + (if allInstances then all else {}) + {
    allValue: '.+',
    // Without "All", Grafana selects the first host.
    includeAll: allInstances,
  },
] + if perHorizon then [
  // Sorted by base rate, which increases with the horizon; names do not sort by length.
  local query =
    'query_result(sort(max by (horizon) (last_over_time(%s[$__range]))))'
    % panels.metric('high_load_baseline_probability');
  queryVariable('horizon', 'Horizon', 'Time ahead of the prediction.', query) + all + {
    query+: { qryType: 3 },
    regex: '/horizon="([^"]+)"/',
    sort: 0,
  },
] else [];

// Annotation at the times at which an expression has values.
local annotation(name, expr, color, titleFormat, tagKeys='instance') = {
  name: name,
  datasource: panels.dataSource,
  enable: true,
  hide: false,
  iconColor: color,
  expr: expr,
  step: '60s',
  tagKeys: tagKeys,
  target: { expr: expr, interval: '60s', refId: 'Anno' },
  textFormat: '',
  titleFormat: titleFormat,
};

local annotations = [
  annotation(
    'Warnings',
    panels.metric('high_load_warning') + ' == 1',
    'orange',
    'High load predicted on {{instance}} within {{horizon}}',
    'instance,horizon'
  ),
  annotation('Anomalies', panels.metric('anomaly_active') + ' == 1', 'purple', 'Anomaly on {{instance}}'),
  annotation(
    'New models', panels.timestamp('model_trained_timestamp_seconds'), 'blue', 'New serving model on {{instance}}'
  ) + { useValueForTime: true },
];

local links = [{
  asDropdown: false,
  icon: 'external link',
  includeVars: true,
  keepTime: true,
  tags: ['monitor'],
  targetBlank: false,
  title: 'monitor',
  tooltip: '',
  type: 'dashboards',
}];

local rowHeading(title, y) = {
  type: 'row',
  title: title,
  collapsed: false,
  gridPos: { w: panels.width, h: 1, x: 0, y: y },
  panels: [],
};

// Place a panel right of the previous one, or below the tallest panel of the line where the line is full.
local place(state, panel) =
  local grid = panel.gridPos;
  local wraps = state.x + grid.w > panels.width;
  local x = if wraps then 0 else state.x;
  local y = if wraps then state.y + state.height else state.y;
  {
    placed: state.placed + [panel { gridPos+: { x: x, y: y } }],
    x: x + grid.w,
    y: y,
    height: std.max(grid.h, if wraps then 0 else state.height),
  };

local placeRow(state, row) =
  local heading = if row.title == '' then [] else [rowHeading(row.title, state.y)];
  local start = { placed: state.placed + heading, x: 0, y: state.y + std.length(heading), height: 0 };
  local end = std.foldl(place, row.panels, start);
  end { x: 0, y: end.y + end.height, height: 0 };

// Panels of all rows, with ids and grid positions.
local positioned(rows) = std.mapWithIndex(
  function(index, panel) panel { id: index + 1 },
  std.foldl(placeRow, rows, { placed: [], x: 0, y: 0, height: 0 }).placed
);

{
  row(title, panels):: { title: title, panels: panels },

  dashboard(name, title, description, from, refresh, rows, allInstances=false)::
    local list = positioned(rows);
    {
      uid: 'monitor-' + name,
      title: 'monitor / ' + title,
      description: description,
      tags: ['monitor'],
      annotations: { list: annotations },
      editable: true,
      fiscalYearStartMonth: 0,
      graphTooltip: 1,
      links: links,
      panels: list,
      refresh: refresh,
      schemaVersion: 39,
      templating: {
        list: variables(allInstances, std.length([panel for panel in list if std.objectHas(panel, 'repeat')]) > 0),
      },
      time: { from: from, to: 'now' },
      timepicker: {},
      timezone: 'browser',
      version: 1,
      weekStart: '',
    },
}
