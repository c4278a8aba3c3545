// Model: charts of the last training run.
"use strict";
(() => {
  let shownId = null;

  async function refreshTraining() {
    const last = await live.getJson("/api/v1/training");
    if (!last?.report?.epochs || last.id === shownId) return;
    shownId = last.id;
    charts.drawTraining(last);
  }

  live.every(refreshTraining, charts.redraw);
})();
