// Charts of the page, drawn with uPlot. `charts` is used by page.js.
"use strict";
const charts = (() => {
  const HEIGHTS = { probability: 240, load: 220, traffic: 160, anomaly: 140, loss: 180, gradient: 180 };
  const HISTORY_CHARTS = ["probability", "load", "traffic", "anomaly"];
  const TRAINING_CHARTS = ["loss", "gradient"];
  // Metrics that the load chart shows at first, in addition to those of the high-load rules.
  const DEFAULT_METRICS = ["cpu_usage", "memory_usage", "pressure_cpu"];
  // Unit by metric name.
  const units = JSON.parse(document.getElementById("history").dataset.units);
  const drawn = new Map();
  let history = null, training = null;

  // ---- formatting

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const orDash = (format) => (v) => (v == null ? "-" : format(v));
  const formatPercent = orDash((v) => `${(100 * v).toFixed(v < 0.1 ? 1 : 0)}%`);
  const formatWholePercent = (v) => `${Math.round(100 * v)}%`;
  const formatNumber = orDash((v) => String(Number(v.toPrecision(3))));
  const formatBytes = orDash((v) => {
    const [prefix, size] = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, s]) => v >= s) ?? ["", 1];
    return `${Number((v / size).toPrecision(3))} ${prefix}B/s`;
  });
  const fixed = (digits) => orDash((v) => v.toFixed(digits));
  const exponential = (digits) => orDash((v) => v.toExponential(digits));

  // Tick formats with a 24-hour clock; the defaults of uPlot use a 12-hour clock.
  const TIME_TICKS = [
    [86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  ];

  // ---- parts of charts

  const hasValues = (values) => values.some((v) => v != null);

  // A value between two gaps is drawn as a point, because it has no neighbour to draw a line to.
  const isolatedPoints = (u, i) => {
    const values = u.data[i];
    return values.flatMap((v, k) => (v != null && values[k - 1] == null && values[k + 1] == null ? [k] : []));
  };

  function line(label, stroke, values, format, more = {}) {
    const points = { show: false, filter: isolatedPoints, size: 4 };
    return { values, series: { label, stroke, width: 1.5, points, value: (_, v) => format(v), ...more } };
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

  function dashedLine(u, value, stroke) {
    const y = u.valToPos(value, "y", true);
    if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
    u.ctx.save();
    u.ctx.strokeStyle = stroke;
    u.ctx.setLineDash([6, 5]);
    u.ctx.beginPath();
    u.ctx.moveTo(u.bbox.left, y);
    u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
    u.ctx.stroke();
    u.ctx.restore();
  }

  function markWarnings(u, spans) {
    u.ctx.fillStyle = color("bad");
    for (const [from, to] of spans) {
      const left = u.valToPos(from, "x", true);
      u.ctx.fillRect(left, u.bbox.top, Math.max(u.valToPos(to, "x", true) - left, 2), 5 * devicePixelRatio);
    }
  }

  // ---- one specification per chart: x values, lines, tick format, and what is drawn behind and over the lines.
  // A line with the class "companion" follows the line before it: it is shown and hidden together with it.

  const SPECS = {
    probability() {
      const lines = history.predictions.flatMap((p, i) => {
        const stroke = color(`c${i % 7}`), companion = { width: 1, class: "companion" };
        const thresholds = p.threshold.map((t) => (t >= 1 ? null : t));
        return [
          line(`within ${p.horizon_name}`, stroke, p.probability, formatPercent),
          line(`${p.horizon_name} base rate`, stroke, p.baseline_probability, formatPercent, { ...companion, dash: [1, 4] }),
          line(`${p.horizon_name} threshold`, stroke, thresholds, formatPercent, { ...companion, dash: [6, 5] }),
        ];
      });
      const warnings = history.predictions.flatMap((p) =>
        p.warning.flatMap((w, i) => (w ? [[history.at[i], history.at[i] + history.step]] : [])));
      return {
        x: history.at, lines, format: formatWholePercent, top: 1,
        behind: (u) => { shadeSpans(u, replayedSpans(), "replayed"); shadeHighLoadAndAnomalies(u); },
        over: (u) => markWarnings(u, warnings),
      };
    },
    load() {
      const bounds = history.rules.flatMap((rule) => Object.entries(rule));
      const names = Object.keys(history.load).filter((n) => units[n] === "ratio" && hasValues(history.load[n]));
      const shown = (n) => DEFAULT_METRICS.includes(n) || bounds.some(([metric]) => metric === n);
      const lines = names.map((n, i) => line(n, color(`c${i % 7}`), history.load[n], formatPercent,
        { show: shown(n), dash: i >= 7 ? [4, 2] : undefined }));
      return {
        x: history.at, lines, format: formatWholePercent, top: 1,
        behind: shadeHighLoadAndAnomalies,
        over: (u) => bounds.forEach(([n, bound]) => {
          const i = names.indexOf(n);
          if (i >= 0 && u.series[i + 1].show && typeof bound === "number") dashedLine(u, bound, lines[i].series.stroke);
        }),
      };
    },
    traffic() {
      const names = Object.keys(history.load).filter((n) => units[n] === "bytes_per_second" && hasValues(history.load[n]));
      const lines = names.map((n, i) => line(n, color(`c${i % 7}`), history.load[n], formatBytes));
      return { x: history.at, lines, format: formatBytes };
    },
    anomaly() {
      const score = history.anomaly_score;
      const lines = [line("evidence / threshold", color("violet"), history.anomaly_evidence_ratio, fixed(2))];
      if (hasValues(score)) lines.push(line("score", color("c4"), score, fixed(3), { show: false }));
      return {
        x: history.at, lines, format: formatNumber, top: 1.2,
        behind: shadeHighLoadAndAnomalies, over: (u) => dashedLine(u, 1, color("bad")),
      };
    },
    loss() {
      const { epochs, kept_epoch: kept } = training.report;
      const dot = { show: true, size: 9, filter: (_, i, show) => (show ? [kept - 1] : null) };
      return {
        x: epochs.map((e) => e.number), epochs: true, format: formatNumber,
        lines: [
          line("training", color("c0"), epochs.map((e) => e.train_loss), formatNumber),
          line("validation", color("c2"), epochs.map((e) => e.validation_loss), formatNumber, { points: dot }),
        ],
      };
    },
    gradient() {
      const { epochs } = training.report;
      return {
        x: epochs.map((e) => e.number), epochs: true, log: true, format: exponential(1),
        lines: [line("gradient norm", color("c1"), epochs.map((e) => e.gradient_norm || null), exponential(2))],
      };
    },
  };

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
      return;
    }
    const shown = new Map(before?.plot.series.map((s) => [s.label, s.show]));
    before?.plot.destroy();
    const chart = { labels, spec };
    chart.plot = new uPlot(options(name, chart, shown), data, place);
    drawn.set(name, chart);
    makeLegendFocusable(place);
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

  function options(name, chart, shown) {
    const { spec } = chart;
    const grid = { stroke: color("line"), width: 1 };
    const axis = { stroke: color("faint"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const linear = (_, low, high) => [Math.min(0, low ?? 0), spec.top ? Math.max(spec.top, high ?? 0) : 1.05 * (high || 1)];
    return {
      width: container(name).clientWidth,
      height: HEIGHTS[name],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: spec.epochs ? {} : { sync: { key: "time" } },
      scales: { x: { time: !spec.epochs }, y: spec.log ? { distr: 3 } : { range: linear } },
      axes: [
        { ...axis, ...(spec.epochs ? { incrs: [1, 2, 5, 10, 20, 50, 100] } : { values: TIME_TICKS }) },
        { ...axis, size: 72, values: (_, ticks) => ticks.map((v) => (v == null ? "" : spec.format(v))) },
      ],
      series: [
        spec.epochs ? { label: "epoch" } : { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        ...spec.lines.map((l) => ({ ...l.series, show: shown.get(l.series.label) ?? l.series.show ?? true })),
      ],
      hooks: {
        drawClear: [(u) => chart.spec.behind?.(u)],
        draw: [(u) => chart.spec.over?.(u)],
        setSeries: [(u, i, { show }) => {
          if (show !== undefined && u.series[i].class !== "companion")
            for (let j = i + 1; u.series[j]?.class === "companion"; j++) u.setSeries(j, { show });
        }],
      },
    };
  }

  new ResizeObserver(() => drawn.forEach(({ plot }, name) => {
    const width = container(name).clientWidth;
    if (width && width !== plot.width) plot.setSize({ width, height: HEIGHTS[name] });
  })).observe(document.querySelector("main"));

  return {
    drawHistory(data) {
      history = data;
      HISTORY_CHARTS.forEach(draw);
    },
    drawTraining(data) {
      training = data;
      TRAINING_CHARTS.forEach(draw);
    },
    // After a change of the colours.
    redraw() {
      drawn.forEach(({ plot }) => plot.destroy());
      drawn.clear();
      if (history) HISTORY_CHARTS.forEach(draw);
      if (training) TRAINING_CHARTS.forEach(draw);
    },
  };
})();
