// Charts of the page, drawn with uPlot. `charts` is used by page.js.
"use strict";
const charts = (() => {
  const HEIGHTS = { probability: 240, anomaly: 150, loss: 180, gradient: 180 };
  const DEFAULT_HEIGHT = 170;
  // Sources of the metrics of each chart.
  const TOPICS = {
    cpu: ["cpu", "load"], memory: ["memory", "swap"], disk: ["disk"], network: ["network"], pressure: ["pressure"],
  };
  const HISTORY_CHARTS = ["probability", "anomaly", ...Object.keys(TOPICS)];
  const TRAINING_CHARTS = ["loss", "gradient"];
  const MIN_ZOOM = 60;
  const DETECTOR_ROW = 60;
  // Unit and source by metric name.
  const metrics = JSON.parse(document.getElementById("history")?.dataset.metrics ?? "{}");
  const UNIT_FORMATS = {
    ratio: format.percent, per_cpu: format.number, bytes_per_second: format.bytes, per_second: format.number,
  };
  const drawn = new Map();
  let history = null, training = null, listeners = { zoom() {}, reset() {}, horizons() {} };
  // Names of the horizons whose lines are shown; null for all.
  let horizons = null;

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Tick formats with a 24-hour clock; the defaults of uPlot use a 12-hour clock.
  const TIME_TICKS = [
    [86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  ];

  // ---- parts of charts

  const hasValues = (values) => values.some((v) => v != null);
  const lastIndex = (values) => values.findLastIndex((v) => v != null);

  // A value between two gaps is drawn as a point, because it has no neighbour to draw a line to.
  const isolatedPoints = (u, i) => {
    const values = u.data[i];
    return values.flatMap((v, k) => (v != null && values[k - 1] == null && values[k + 1] == null ? [k] : []));
  };

  // Values of the anomaly detector, which hold until the next of its rows.
  function held(values) {
    const slots = Math.floor(DETECTOR_ROW / history.step);
    return values.map((v, i) => v ?? values.slice(Math.max(0, i - slots), i).findLast((known) => known != null));
  }

  function line(label, stroke, values, write, more = {}) {
    const points = { show: false, filter: isolatedPoints, size: 4 };
    return { values, write, series: { label, stroke, width: 1.5, points, value: (_, v) => write(v), ...more } };
  }

  function shadeSpans(u, spans, name) {
    u.ctx.save();
    u.ctx.fillStyle = color(name);
    for (const [from, to] of spans) {
      const left = Math.max(u.valToPos(from, "x", true), u.bbox.left);
      const right = Math.min(u.valToPos(to, "x", true), u.bbox.left + u.bbox.width);
      if (right >= left) u.ctx.fillRect(left, u.bbox.top, Math.max(right - left, 2), u.bbox.height);
    }
    u.ctx.restore();
  }

  function shadeHighLoadAndAnomalies(u) {
    shadeSpans(u, history.high, "high");
    shadeSpans(u, history.anomalies.map((a) => [a.started_at, a.ended_at ?? history.until]), "anomaly");
  }

  // Slots in which all predictions were replayed over stored history.
  function replayedSpans() {
    const slots = new Set(history.predictions.flatMap((p) => p.replayed.flatMap((r, i) => (r ? [i] : []))));
    return joined([...slots].sort((a, b) => a - b)).map(([from, to]) => [history.at[from], history.at[to] + history.step]);
  }

  // Ranges [first, last] of the consecutive numbers in an ascending array.
  function joined(numbers) {
    const runs = [];
    for (const n of numbers) {
      if (runs.length && runs.at(-1)[1] === n - 1) runs.at(-1)[1] = n;
      else runs.push([n, n]);
    }
    return runs;
  }

  // A horizontal dashed line with its label, in the scale of a unit.
  function limit(u, value, stroke, label, scale = "y") {
    const y = u.valToPos(value, scale, true);
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
    u.ctx.save();
    Object.assign(u.ctx, { strokeStyle: stroke, fillStyle: stroke, textAlign: "right", textBaseline: "bottom" });
    u.ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    u.ctx.setLineDash([6, 5]);
    u.ctx.beginPath();
    u.ctx.moveTo(u.bbox.left, y);
    u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
    u.ctx.stroke();
    u.ctx.fillText(label, u.bbox.left + u.bbox.width - 4, y - 2);
    u.ctx.restore();
  }

  function markWarnings(u, spans) {
    u.ctx.fillStyle = color("bad");
    for (const [from, to] of spans) {
      const left = u.valToPos(from, "x", true);
      u.ctx.fillRect(left, u.bbox.top, Math.max(u.valToPos(to, "x", true) - left, 2), 5 * devicePixelRatio);
    }
  }

  // ---- one specification per chart: x values, lines, tick formats by scale, and what is drawn behind and over the
  // lines. A line with the class "companion" follows the line before it: it is shown and hidden together with it.

  const SPECS = {
    probability() {
      const lines = history.predictions.flatMap((p, i) => {
        const stroke = color(`c${i % 7}`), companion = { width: 1, class: "companion" };
        const show = horizons === null || horizons.includes(p.horizon_name);
        const thresholds = p.threshold.map((t) => (t >= 1 ? null : t));
        return [
          line(`within ${p.horizon_name}`, stroke, p.probability, format.percent, { show }),
          line(`${p.horizon_name} base rate`, stroke, p.baseline_probability, format.percent, { ...companion, show, dash: [1, 4] }),
          line(`${p.horizon_name} threshold`, stroke, thresholds, format.percent, { ...companion, show, dash: [6, 5] }),
        ];
      });
      const warnings = history.predictions.flatMap((p) =>
        p.warning.flatMap((w, i) => (w ? [[history.at[i], history.at[i] + history.step]] : [])));
      return {
        x: history.at, lines, scales: { y: format.wholePercent }, top: 1,
        behind: (u) => { shadeSpans(u, replayedSpans(), "replayed"); shadeHighLoadAndAnomalies(u); },
        over: (u) => markWarnings(u, warnings),
      };
    },
    anomaly() {
      const score = held(history.anomaly_score), evidence = held(history.anomaly_evidence_ratio);
      const lines = [line("evidence / threshold", color("violet"), evidence, format.fixed(2))];
      if (hasValues(score)) lines.push(line("score", color("c4"), score, format.fixed(3), { show: false }));
      return {
        x: history.at, lines, scales: { y: format.number }, top: 1.2,
        behind: shadeHighLoadAndAnomalies, over: (u) => limit(u, 1, color("bad"), "alarm"),
      };
    },
    ...Object.fromEntries(Object.keys(TOPICS).map((topic) => [topic, () => topicSpec(topic)])),
    loss() {
      const { epochs, kept_epoch: kept } = training.report;
      const dot = { show: true, size: 9, filter: (_, i, show) => (show ? [kept - 1] : null) };
      return {
        x: epochs.map((e) => e.number), epochs: true, scales: { y: format.number },
        lines: [
          line("training", color("c0"), epochs.map((e) => e.train_loss), format.number),
          line("validation", color("c2"), epochs.map((e) => e.validation_loss), format.number, { points: dot }),
        ],
      };
    },
    gradient() {
      const { epochs } = training.report;
      return {
        x: epochs.map((e) => e.number), epochs: true, log: true, scales: { y: format.exponential(1) },
        lines: [line("gradient norm", color("c1"), epochs.map((e) => e.gradient_norm || null), format.exponential(2))],
      };
    },
  };

  // Metrics of some sources. The first unit has the left axis, the second the right one; a third has no axis.
  function topicSpec(topic) {
    const names = Object.keys(history.load)
      .filter((n) => TOPICS[topic].includes(metrics[n].source) && hasValues(history.load[n]));
    const unitNames = [...new Set(names.map((n) => metrics[n].unit))];
    const scaleOf = (n) => ["y", "right"][unitNames.indexOf(metrics[n].unit)] ?? "other";
    const lines = names.map((n, i) => line(n, color(`c${i % 7}`), history.load[n], UNIT_FORMATS[metrics[n].unit], { scale: scaleOf(n) }));
    const bounds = history.rules.flatMap((rule) => Object.entries(rule))
      .filter(([n, bound]) => names.includes(n) && typeof bound === "number");
    return {
      x: history.at, lines, behind: shadeHighLoadAndAnomalies,
      scales: Object.fromEntries(unitNames.slice(0, 2).map((unit, i) => [["y", "right"][i], UNIT_FORMATS[unit]])),
      top: unitNames[0] === "ratio" ? 1 : undefined,
      over: (u) => bounds.forEach(([n, bound]) => {
        const i = names.indexOf(n);
        const label = `${n} ${UNIT_FORMATS[metrics[n].unit](bound)}`;
        if (u.series[i + 1].show) limit(u, bound, lines[i].series.stroke, label, scaleOf(n));
      }),
    };
  }

  // ---- drawing

  const container = (name) => document.querySelector(`[data-chart="${name}"]`);

  function draw(name) {
    const place = container(name), spec = SPECS[name](), before = drawn.get(name);
    const visible = spec.lines.some((l) => hasValues(l.values));
    place.closest("figure").hidden = !visible;
    if (!visible) {
      before?.plot.destroy();
      drawn.delete(name);
      return;
    }
    const data = [spec.x, ...spec.lines.map((l) => l.values)];
    const labels = JSON.stringify(spec.lines.map((l) => l.series.label));
    if (before && before.labels === labels) {
      before.spec = spec;
      before.plot.setData(data);
      showLastValues(before.plot);
      return;
    }
    const shown = new Map(before?.plot.series.map((s) => [s.label, s.show]));
    before?.plot.destroy();
    const chart = { labels, spec };
    chart.plot = new uPlot(options(name, chart, shown), data, place);
    drawn.set(name, chart);
    makeLegendFocusable(place);
    showLastValues(chart.plot);
  }

  // While the pointer is elsewhere, the legend has the last values.
  function showLastValues(u) {
    const cursor = u.cursor.idx;
    if (cursor == null) u.setLegend({ idxs: u.data.map(lastIndex).map((i) => (i < 0 ? null : i)) }, false);
  }

  // uPlot's legend reacts to the mouse only.
  function makeLegendFocusable(place) {
    place.querySelectorAll(".u-series:not(:first-child) th").forEach((th) => {
      Object.assign(th, { tabIndex: 0, role: "button" });
      th.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        th.click();
      });
    });
  }

  // A box at the pointer with the values at its time.
  function updateTooltip(u, chart) {
    chart.tooltip ??= u.over.appendChild(Object.assign(document.createElement("div"), { className: "tooltip" }));
    const { idx, left } = u.cursor;
    chart.tooltip.hidden = idx == null || !u.over.matches(":hover");
    if (chart.tooltip.hidden) return;
    const rows = chart.spec.lines.flatMap(({ values, write, series }, i) =>
      u.series[i + 1].show && values[idx] != null && series.class !== "companion" ? [[series, write(values[idx])]] : []);
    const title = chart.spec.epochs ? `epoch ${u.data[0][idx]}` : clock.text(u.data[0][idx]);
    chart.tooltip.replaceChildren(title, ...rows.map(([series, value]) => {
      const row = document.createElement("div"), name = document.createElement("span");
      name.textContent = series.label;
      name.style.color = series.stroke;
      row.append(name, ` ${value}`);
      return row;
    }));
    const isRight = left > u.over.clientWidth / 2;
    Object.assign(chart.tooltip.style, { left: isRight ? "" : `${left + 12}px`, right: isRight ? `${u.over.clientWidth - left + 12}px` : "" });
  }

  function options(name, chart, shown) {
    const { spec } = chart;
    const grid = { stroke: color("line"), width: 1 };
    const axis = { stroke: color("faint"), ticks: grid, font: "12px system-ui, sans-serif" };
    const linear = (_, low, high) => [Math.min(0, low ?? 0), 1.05 * (high || 1)];
    const withTop = (_, low, high) => [Math.min(0, low ?? 0), Math.max(spec.top, high ?? 0)];
    const time = { time: true, range: () => [history.from, history.until] };
    const scales = { x: spec.epochs ? { time: false } : time, right: { range: linear }, other: { range: linear } };
    scales.y = spec.log ? { distr: 3 } : { range: spec.top ? withTop : linear };
    return {
      width: container(name).clientWidth,
      height: HEIGHTS[name] ?? DEFAULT_HEIGHT,
      tzDate: clock.date,
      cursor: spec.epochs ? {} : {
        y: false, sync: { key: "time" }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => listeners.reset() },
      },
      scales,
      axes: [
        { ...axis, grid, ...(spec.epochs ? { incrs: [1, 2, 5, 10, 20, 50, 100] } : { values: TIME_TICKS, space: 80 }) },
        ...Object.entries(spec.scales).map(([scale, write], i) => ({
          ...axis, scale, side: i ? 1 : 3, size: 72, grid: i ? { show: false } : grid,
          values: (_, ticks) => ticks.map((v) => (v == null ? "" : write(v))),
        })),
      ],
      series: [
        spec.epochs ? { label: "epoch" } : { label: clock.zone, value: (_, v) => (v == null ? "-" : clock.text(v)) },
        ...spec.lines.map((l) => ({ ...l.series, show: shown.get(l.series.label) ?? l.series.show ?? true })),
      ],
      hooks: {
        drawClear: [(u) => chart.spec.behind?.(u)],
        draw: [(u) => chart.spec.over?.(u)],
        setCursor: [(u) => { updateTooltip(u, chart); showLastValues(u); }],
        setSelect: [(u) => zoomToSelection(u)],
        setSeries: [(u, i, { show }) => {
          if (show === undefined) return;
          if (u.series[i].class !== "companion")
            for (let j = i + 1; u.series[j]?.class === "companion"; j++) u.setSeries(j, { show });
          if (name === "probability") chooseHorizons(u);
        }],
      },
    };
  }

  function zoomToSelection(u) {
    const { left, width } = u.select;
    if (!width) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    const from = u.posToVal(left, "x"), to = u.posToVal(left + width, "x");
    const middle = (from + to) / 2, half = Math.max(MIN_ZOOM, to - from) / 2;
    listeners.zoom(middle - half, middle + half);
  }

  function chooseHorizons(u) {
    const names = history.predictions.map((p) => p.horizon_name);
    const chosen = names.filter((n) => u.series.some((s) => s.label === `within ${n}` && s.show));
    horizons = chosen.length === names.length ? null : chosen;
    listeners.horizons(horizons);
  }

  new ResizeObserver(() => drawn.forEach(({ plot }, name) => {
    const width = container(name).clientWidth;
    if (width && width !== plot.width) plot.setSize({ width, height: HEIGHTS[name] ?? DEFAULT_HEIGHT });
  })).observe(document.querySelector("main"));

  return {
    // Functions called with a selected period, for a double click, and with the names of the shown horizons.
    listen(chosen) { listeners = chosen; },
    showHorizons(names) { horizons = names; },
    drawHistory(data) {
      history = data;
      HISTORY_CHARTS.forEach(draw);
    },
    drawTraining(data) {
      training = data;
      TRAINING_CHARTS.forEach(draw);
    },
    // After a change of the colours or of the time zone.
    redraw() {
      drawn.forEach(({ plot }) => plot.destroy());
      drawn.clear();
      if (history) HISTORY_CHARTS.forEach(draw);
      if (training) TRAINING_CHARTS.forEach(draw);
    },
    canvas: (name) => drawn.get(name)?.plot.ctx.canvas,
    color,
  };
})();
