// The page is whole without this: it renews the figures, which the daemon writes, and draws the curves.
"use strict";
(() => {
  const HEIGHT = { probability: 240, load: 220, traffic: 160, anomaly: 140, loss: 180, gradient: 180 };
  const USUALLY = ["cpu_usage", "memory_usage", "pressure_cpu"];
  const TRAFFIC = ["network_receive", "network_transmit", "disk_read", "disk_write"];
  const NO_RATIO = [...TRAFFIC, "network_errors"];
  const interval = Math.max(5, Number(document.body.dataset.interval)) * 1000;
  const charts = new Map();
  const age = Date.now() / 1000 - Number(document.body.dataset.since ?? 0);
  let range = age < 900 ? "15m" : age < 3600 ? "1h" : "6h", history = null, training = null, failed = false;

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const percent = (v) => (v == null ? "-" : `${(100 * v).toFixed(v < 0.1 ? 1 : 0)}%`);
  const whole = (v) => `${Math.round(100 * v)}%`;
  const bytes = (v) => {
    if (v == null) return "-";
    const [prefix, size] = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, s]) => v >= s) ?? ["", 1];
    return `${Number((v / size).toPrecision(3))} ${prefix}B/s`;
  };
  const figure = (v) => (v == null ? "-" : String(Number(v.toPrecision(3))));
  const known = (values) => values.some((v) => v != null);

  async function fetched(path, read) {
    // an address with a password in it cannot be asked relative to
    const answer = await fetch(new URL(path, location.origin), { headers: { Accept: "text/html, application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return read(answer);
  }
  const json = (path) => fetched(path, (answer) => answer.json());

  // ---- curves

  // A value between two holes would not be seen as a line.
  const alone = (u, i) => {
    const v = u.data[i];
    return v.flatMap((one, k) => (one != null && v[k - 1] == null && v[k + 1] == null ? [k] : []));
  };

  function line(label, stroke, values, format, more = {}) {
    return { values, series: { label, stroke, width: 1.5, points: { show: false, filter: alone, size: 4 }, value: (_, v) => format(v), ...more } };
  }

  function shade(u, spans, name) {
    u.ctx.save();
    u.ctx.fillStyle = color(name);
    for (const [from, to] of spans) {
      const left = Math.max(u.valToPos(from, "x", true), u.bbox.left);
      const right = Math.min(u.valToPos(to, "x", true), u.bbox.left + u.bbox.width);
      if (right >= left) u.ctx.fillRect(left, u.bbox.top, Math.max(right - left, 2), u.bbox.height);
    }
    u.ctx.restore();
  }

  function dashed(u, value, stroke) {
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

  function shaded(u) {
    shade(u, history.high, "high");
    shade(u, history.anomalies.map((a) => [a.started_at, a.ended_at ?? history.until]), "strange");
  }

  // uPlot's own are by a clock of twelve hours.
  const TIMES = [
    [86400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
    [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  ];

  // What each chart shows: x, its lines, and what lies behind and over them. What belongs to a line comes after it as
  // "quiet" and is shown where the line is.
  const SPECS = {
    probability() {
      const stroke = (i) => color(`c${i % 7}`);
      const lines = history.predictions.flatMap((p, i) => [
        line(`within ${p.horizon_name}`, stroke(i), p.probability, percent),
        line(`${p.horizon_name} usually`, stroke(i), p.baseline_probability, percent, { width: 1, dash: [1, 4], class: "quiet" }),
        line(`${p.horizon_name} needs`, stroke(i), p.threshold.map((t) => (t >= 1 ? null : t)), percent,
          { width: 1, dash: [6, 5], class: "quiet" }),
      ]);
      const warned = history.predictions.flatMap((p) =>
        p.warning.flatMap((w, i) => (w ? [[history.at[i], history.at[i] + history.step]] : [])));
      return {
        x: history.at, lines, format: whole, top: 1,
        behind: shaded,
        over(u) {
          u.ctx.fillStyle = color("bad");
          for (const [from, to] of warned) {
            const left = u.valToPos(from, "x", true);
            u.ctx.fillRect(left, u.bbox.top, Math.max(u.valToPos(to, "x", true) - left, 2), 5 * devicePixelRatio);
          }
        },
      };
    },
    load() {
      const bounds = history.rules.flatMap((rule) => Object.entries(rule));
      const names = Object.keys(history.load).filter((n) => !NO_RATIO.includes(n) && known(history.load[n]));
      const lines = names.map((n, i) => line(n, color(`c${i % 7}`), history.load[n], percent,
        { show: USUALLY.includes(n) || bounds.some(([metric]) => metric === n), dash: i >= 7 ? [4, 2] : undefined }));
      return {
        x: history.at, lines, format: whole, top: 1,
        behind: shaded,
        over: (u) => bounds.forEach(([n, v]) => {
          const i = names.indexOf(n);
          if (i >= 0 && u.series[i + 1].show && typeof v === "number") dashed(u, v, lines[i].series.stroke);
        }),
      };
    },
    traffic() {
      const names = TRAFFIC.filter((n) => known(history.load[n]));
      return { x: history.at, lines: names.map((n, i) => line(n, color(`c${i}`), history.load[n], bytes)), format: bytes };
    },
    anomaly() {
      const score = history.anomaly_score;
      const lines = [line("nearness to an alarm", color("odd"), history.anomaly_evidence_ratio, (v) => (v == null ? "-" : v.toFixed(2)))];
      if (known(score)) lines.push(line("score", color("c4"), score, (v) => (v == null ? "-" : v.toFixed(3)), { show: false }));
      return {
        x: history.at, lines, format: figure, top: 1.2,
        behind: shaded,
        over: (u) => dashed(u, 1, color("bad")),
      };
    },
    loss() {
      const epochs = training.report.epochs, kept = training.report.kept_epoch;
      const dot = { show: true, size: 9, filter: (_, i, show) => (show ? [kept - 1] : null) };
      return {
        x: epochs.map((e) => e.number), epochs: true, format: figure,
        lines: [
          line("training", color("c0"), epochs.map((e) => e.train_loss), figure),
          line("data it has not seen", color("c2"), epochs.map((e) => e.validation_loss), figure, { points: dot }),
        ],
      };
    },
    gradient() {
      const epochs = training.report.epochs;
      return {
        x: epochs.map((e) => e.number), epochs: true, log: true, format: (v) => (v == null ? "-" : v.toExponential(1)),
        lines: [line("gradient norm", color("c1"), epochs.map((e) => e.gradient_norm || null), (v) => (v == null ? "-" : v.toExponential(2)))],
      };
    },
  };

  function drawn(name) {
    const place = document.querySelector(`[data-chart="${name}"]`);
    const spec = SPECS[name]();
    const there = spec.lines.some((l) => known(l.values));
    place.closest("figure").hidden = !there;
    if (!there) return charts.get(name)?.plot.destroy(), void charts.delete(name);
    const data = [spec.x, ...spec.lines.map((l) => l.values)];
    const shape = JSON.stringify(spec.lines.map((l) => l.series.label));
    const before = charts.get(name);
    if (before && before.shape === shape) {
      before.spec = spec;
      before.plot.setData(data);
      return;
    }
    const shown = new Map(before?.plot.series.map((s) => [s.label, s.show]));
    before?.plot.destroy();
    const mine = { shape, spec };
    mine.plot = new uPlot(options(name, mine, shown), data, place);
    charts.set(name, mine);
    reachable(place);
  }

  // uPlot's legend is for the mouse alone.
  function reachable(place) {
    place.querySelectorAll(".u-series:not(:first-child) th").forEach((th) => {
      Object.assign(th, { tabIndex: 0, role: "button" });
      th.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        th.click();
      });
    });
  }

  function options(name, mine, shown) {
    const { spec } = mine;
    const grid = { stroke: color("line"), width: 1 };
    const axis = { stroke: color("faint"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const place = document.querySelector(`[data-chart="${name}"]`);
    return {
      width: place.clientWidth,
      height: HEIGHT[name],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: spec.epochs ? {} : { sync: { key: "time" } },
      scales: {
        x: { time: !spec.epochs },
        y: spec.log ? { distr: 3 } : { range: (_, low, high) => [Math.min(0, low ?? 0), spec.top ? Math.max(spec.top, high ?? 0) : 1.05 * (high || 1)] },
      },
      axes: [{ ...axis, ...(spec.epochs ? { incrs: [1, 2, 5, 10, 20, 50, 100] } : { values: TIMES }) }, { ...axis, size: 72, values: (_, ticks) => ticks.map((v) => (v == null ? "" : spec.format(v))) }],
      series: [
        spec.epochs ? { label: "epoch" } : { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}" },
        ...spec.lines.map((l) => ({ ...l.series, show: shown.get(l.series.label) ?? l.series.show ?? true })),
      ],
      hooks: {
        drawClear: [(u) => mine.spec.behind?.(u)],
        draw: [(u) => mine.spec.over?.(u)],
        setSeries: [(u, i, { show }) => {
          if (show !== undefined && u.series[i].class !== "quiet")
            for (let j = i + 1; u.series[j]?.class === "quiet"; j++) u.setSeries(j, { show });
        }],
      },
    };
  }

  const PAST = ["probability", "load", "traffic", "anomaly"];
  const TRAINED = ["loss", "gradient"];

  async function course() {
    const wide = document.querySelector("#course").clientWidth;
    history = await json(`/api/v1/history?range=${range}&points=${Math.min(720, Math.max(120, Math.round(wide / 2)))}`);
    PAST.forEach(drawn);
  }

  async function learned() {
    const last = await json("/api/v1/training");
    if (!last?.report?.epochs || last.id === training?.id) return;
    training = last;
    TRAINED.forEach(drawn);
  }

  function redraw() {
    charts.forEach((chart) => chart.plot.destroy());
    charts.clear();
    if (history) PAST.forEach(drawn);
    if (training) TRAINED.forEach(drawn);
  }

  // ---- figures

  async function figures() {
    const text = await fetched("/", (answer) => answer.text());
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const renewed = fresh.getElementById(part.id);
      if (!renewed || reading(part)) continue;
      part.querySelectorAll("details[open]").forEach((open) => renewed.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", ""));
      if (renewed.innerHTML !== part.innerHTML) part.replaceChildren(...renewed.childNodes);
    }
    const warned = document.querySelector("#ahead .warning strong");
    document.title = `${warned ? `\u26a0 ${warned.textContent} ` : ""}${fresh.title}`;
  }

  // Somebody who marks a figure or stands in a table with the keyboard wants it to stay.
  function reading(part) {
    const selection = getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  async function renew(...jobs) {
    const lost = document.getElementById("lost");
    try {
      await Promise.all(jobs.map((job) => job()));
      failed = false;
    } catch (error) {
      if (!failed) lost.textContent = `No answer since ${new Date().toISOString().slice(11, 19)} UTC: what is shown is of before. (${error.message})`;
      failed = true;
    }
    lost.hidden = !failed;
    document.body.classList.toggle("lost", failed);
  }

  function choose(chosen) {
    range = chosen;
    document.querySelectorAll("[data-range]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.range === range)));
    renew(course);
  }

  document.querySelectorAll("[data-range]").forEach((b) => b.addEventListener("click", () => choose(b.dataset.range)));
  document.querySelectorAll(".ranges, #course figure").forEach((part) => (part.hidden = false));
  new ResizeObserver(() => charts.forEach((chart, name) => {
    const width = document.querySelector(`[data-chart="${name}"]`).clientWidth;
    if (width && width !== chart.plot.width) chart.plot.setSize({ width, height: HEIGHT[name] });
  })).observe(document.querySelector("main"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  choose(range);
  renew(learned);
  setInterval(() => document.hidden || renew(figures), interval);
  setInterval(() => document.hidden || renew(course, learned), Math.max(30000, interval));
  document.addEventListener("visibilitychange", () => document.hidden || renew(figures, course, learned));
})();
