// A dashboard as JSON, as strict as Grafana's types allow: no key that they do not know, no value that they do not have.

import type { AnnotationQuery, Dashboard, FieldConfigSource, Panel, RowPanel, VariableModel } from "@grafana/schema";
import type * as BarGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as StateTimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// In JSON a member of an enum is its text.
type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

// The package has no types of Prometheus' queries and annotations: these are what the plugin reads.
interface PrometheusQuery {
  datasource: { type: "prometheus"; uid: "${datasource}" };
  editorMode: "code";
  expr: string;
  format: "time_series" | "table";
  instant: boolean;
  legendFormat: string;
  range: boolean;
  refId: string;
}

type PrometheusAnnotation = Json<Omit<AnnotationQuery, "target">> & {
  expr: string;
  step: string;
  tagKeys: string;
  target: { expr: string; interval: string; refId: string };
  textFormat: string;
  titleFormat: string;
  useValueForTime?: boolean;
};

// A default that Grafana would fill in may be left out of the field, nothing of the options.
type Field<Custom> = Omit<Json<FieldConfigSource>, "defaults"> & {
  defaults: Omit<Json<FieldConfigSource>["defaults"], "custom"> & { custom?: Json<Partial<Custom>> };
};

type Of<Type extends string, Options, Custom> = Json<Omit<Panel, "type" | "options" | "fieldConfig" | "targets">> & {
  type: Type;
  title: string;
  description: string;
  fieldConfig: Field<Custom>;
  options: Json<Options>;
  targets: PrometheusQuery[];
};

// Values of a variable's `definition` are shown in the settings; the package does not know the key.
type Variable = Json<VariableModel> & { definition?: string };

type AnyPanel =
  | Of<"bargauge", BarGauge.Options, {}>
  | Of<"stat", Stat.Options, {}>
  | Of<"state-timeline", StateTimeline.Options, StateTimeline.FieldConfig>
  | Of<"table", Table.Options, Table.FieldConfig>
  | Of<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig>
  | Json<RowPanel>;

export type Checked = Json<Omit<Dashboard, "annotations" | "panels" | "templating">> & {
  annotations: { list: PrometheusAnnotation[] };
  panels: AnyPanel[];
  templating: { list: Variable[] };
};
