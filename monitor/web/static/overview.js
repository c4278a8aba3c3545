// Overview: charts of the history in the period of `view`, and their export.
"use strict";
(() => {
  const section = document.getElementById("history"), values = document.getElementById("history-values");
  let shown = null, requested = 0;

  async function refreshHistory() {
    const points = Math.min(720, Math.max(120, Math.round(section.clientWidth / 2)));
    const number = ++requested;
    const history = await live.getJson(`/api/v1/history?${view.query}&points=${points}`);
    // Another period may have been chosen meanwhile.
    if (number !== requested) return;
    shown = history;
    view.reached(history.until);
    charts.drawHistory(history);
    fillTable();
  }

  function fillTable() {
    if (values.open && shown) exports.table(shown, values.querySelector(".scroll"));
  }

  values.addEventListener("toggle", fillTable);
  section.querySelector("[data-action='csv']").addEventListener("click", () => shown && exports.csv(shown));
  section.querySelectorAll("[hidden]:not(figure)").forEach((part) => (part.hidden = false));

  charts.showHorizons(view.horizons);
  charts.listen({ zoom: view.showBetween, reset: view.reset, horizons: view.chooseHorizons });
  view.start(() => live.refresh(refreshHistory), () => shown);
  live.every(refreshHistory, () => { charts.redraw(); fillTable(); });
})();
