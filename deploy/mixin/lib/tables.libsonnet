// Tables: one row for each combination of labels that the queries have in common, such as instance and horizon.
local panels = import 'panels.libsonnet';

{
  // A column with the values of an expression.
  column(name, expr, unit='none', field={}):: {
    name: name,
    expr: expr,
    field: { unit: unit } + field,
  },

  // A column with a label of an expression.
  labelColumn(name, expr, label):: self.column(name, expr) { label: label },

  baseRate:: self.column(
    'base rate', panels.perHorizon('high_load_baseline_probability'), 'percentunit', { decimals: 1 }
  ),

  servedBy:: self.labelColumn(
    'served by',
    'max by (job, instance, horizon, predictor) (%s == 1)' % panels.metric('high_load_served_by'),
    'predictor'
  ),

  // Table whose rows have the labels `labels`.
  table(title, description, labels, columns, width, height, sortBy, descending=false)::
    local field(index) =
      if std.objectHas(columns[index], 'label')
      then columns[index].label
      else 'Value #' + std.char(std.codepoint('A') + index);
    local fields = std.makeArray(std.length(columns), field);
    local shown = labels + fields;
    panels.panel('table', title, description, width, height) {
      targets: std.mapWithIndex(
        function(index, column) panels.target(index, column.expr, '__auto', true, 'table'), columns
      ),
      fieldConfig: {
        defaults: {
          color: { mode: 'thresholds' },
          custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
          noValue: '-',
          thresholds: panels.thresholds('text'),
          unit: 'none',
        },
        overrides: [panels.override(column.name, column.field) for column in columns],
      },
      options: {
        cellHeight: 'sm',
        frameIndex: 0,
        showHeader: true,
        sortBy: [{ desc: descending, displayName: sortBy }],
      },
      transformations: [
        { id: 'merge', options: {} },
        { id: 'filterFieldsByName', options: { include: { names: shown } } },
        {
          id: 'organize',
          options: {
            excludeByName: {},
            indexByName: { [shown[i]]: i for i in std.range(0, std.length(shown) - 1) },
            renameByName: { [fields[i]]: columns[i].name for i in std.range(0, std.length(fields) - 1) },
          },
        },
      ],
    },

  // Table with a row per instance and horizon, sorted by base rate, which increases with the horizon.
  horizons(title, description, columns, width, height)::
    self.table(title, description, ['instance', 'horizon'], columns, width, height, self.baseRate.name),
}
