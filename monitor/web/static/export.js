// Export of the shown history: CSV, picture of a chart, table.
"use strict";
const exports = (() => {
  function save(blob, name) {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Names and values of all curves.
  function columns(history) {
    const named = Object.entries(history.load).filter(([, values]) => values.some((v) => v != null));
    for (const p of history.predictions) {
      named.push([`probability_${p.horizon_name}`, p.probability], [`threshold_${p.horizon_name}`, p.threshold]);
      named.push([`warning_${p.horizon_name}`, p.warning.map((w) => (w == null ? null : Number(w)))]);
    }
    named.push(["anomaly_score", history.anomaly_score], ["anomaly_evidence_ratio", history.anomaly_evidence_ratio]);
    return named;
  }

  const fileName = (seconds, ending) => `monitor-${new Date(seconds * 1000).toISOString().slice(0, 16)}${ending}`.replace(":", "");

  function png(name, title) {
    const chart = charts.canvas(name), margin = 28 * devicePixelRatio;
    const picture = Object.assign(document.createElement("canvas"), { width: chart.width, height: chart.height + margin });
    const context = picture.getContext("2d");
    context.fillStyle = charts.color("sheet");
    context.fillRect(0, 0, picture.width, picture.height);
    context.fillStyle = charts.color("ink");
    context.font = `600 ${14 * devicePixelRatio}px system-ui, sans-serif`;
    context.fillText(title, 8 * devicePixelRatio, 18 * devicePixelRatio);
    context.drawImage(chart, 0, margin);
    picture.toBlob((blob) => save(blob, fileName(Date.now() / 1000, `-${name}.png`)));
  }

  document.querySelectorAll("[data-png]").forEach((button) => button.addEventListener("click", () =>
    png(button.dataset.png, button.closest("figure").querySelector("b").textContent)));

  return {
    csv(history) {
      const named = columns(history);
      const rows = history.at.map((at, i) => [at, ...named.map(([, values]) => values[i] ?? "")].join(","));
      const text = [["timestamp", ...named.map(([name]) => name)].join(","), ...rows, ""].join("\n");
      save(new Blob([text], { type: "text/csv" }), fileName(history.from, ".csv"));
    },

    // Fill a table with the shown history, newest first.
    table(history, place) {
      const named = columns(history), table = document.createElement("table");
      const header = table.createTHead().insertRow(), body = table.createTBody();
      for (const name of [clock.zone, ...named.map(([column]) => column)])
        header.append(Object.assign(document.createElement("th"), { scope: "col", textContent: name }));
      for (let i = history.at.length - 1; i >= 0; i--) {
        const row = body.insertRow();
        row.insertCell().textContent = clock.text(history.at[i]);
        for (const [, values] of named) row.insertCell().textContent = values[i] ?? "";
      }
      place.replaceChildren(table);
    },
  };
})();
