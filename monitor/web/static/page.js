// Refresh of the page: replaces the figures, which the daemon renders, and fetches the data of the charts.
// Without this script the page shows the same figures, as of the time at which it was loaded.
"use strict";
(() => {
  const { interval: sampling, speed } = document.body.dataset;
  const interval = Math.max(5, Number(sampling) / Number(speed)) * 1000;
  let shown = null, requested = 0, trainingId = null, disconnected = false;

  async function get(path, read) {
    // A relative URL would fail where the address of the page contains a password.
    const response = await fetch(new URL(path, location.origin), { headers: { Accept: "text/html, application/json" } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return read(response);
  }
  const getJson = (path) => get(path, (response) => response.json());

  async function refreshFigures() {
    const html = await get("/", (response) => response.text());
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const renewed = fresh.getElementById(part.id);
      if (!renewed || isInUse(part)) continue;
      part.querySelectorAll("details[open]").forEach((open) =>
        renewed.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", ""));
      clock.apply(renewed);
      if (renewed.innerHTML !== part.innerHTML) part.replaceChildren(...renewed.childNodes);
    }
    const warning = document.querySelector("#prediction .warning strong");
    document.title = `${warning ? `\u26a0 ${warning.textContent} ` : ""}${fresh.title}`;
  }

  // A part with a text selection or the keyboard focus is not replaced.
  function isInUse(part) {
    const selection = getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  async function refreshHistory() {
    const width = document.getElementById("history").clientWidth;
    const points = Math.min(720, Math.max(120, Math.round(width / 2)));
    const number = ++requested;
    const history = await getJson(`/api/v1/history?${view.query}&points=${points}`);
    // Another period may have been chosen meanwhile.
    if (number !== requested) return;
    shown = history;
    charts.drawHistory(history);
    if (values.open) exports.table(history, values.querySelector(".scroll"));
  }

  async function refreshTraining() {
    const last = await getJson("/api/v1/training");
    if (!last?.report?.epochs || last.id === trainingId) return;
    trainingId = last.id;
    charts.drawTraining(last);
  }

  async function refresh(...jobs) {
    const message = document.getElementById("connection-lost");
    try {
      await Promise.all(jobs.map((job) => job()));
      disconnected = false;
    } catch (error) {
      const now = new Date().toISOString().slice(11, 19);
      if (!disconnected) message.textContent = `No response since ${now} UTC; the figures below are out of date. (${error.message})`;
      disconnected = true;
    }
    message.hidden = !disconnected;
    document.body.classList.toggle("stale", disconnected);
  }

  const values = document.getElementById("history-values");
  values.addEventListener("toggle", () => values.open && shown && exports.table(shown, values.querySelector(".scroll")));
  document.querySelector("[data-action='csv']").addEventListener("click", () => shown && exports.csv(shown));
  document.querySelectorAll("[data-png]").forEach((button) => button.addEventListener("click", () =>
    shown && exports.png(shown, button.dataset.png, button.closest("figure").querySelector("b").textContent)));

  const zone = document.querySelector("[data-action='zone']");
  function applyZone() {
    zone.textContent = clock.zone;
    clock.apply(document);
    charts.redraw();
  }
  zone.addEventListener("click", () => {
    clock.toggle();
    applyZone();
  });

  document.querySelectorAll("#history [hidden]:not(figure)").forEach((part) => (part.hidden = false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", charts.redraw);
  charts.showHorizons(view.horizons);
  charts.listen({ zoom: view.showBetween, reset: view.reset, horizons: view.chooseHorizons });
  view.start(() => refresh(refreshHistory), () => shown);
  applyZone();

  refresh(refreshHistory, refreshTraining);
  setInterval(() => document.hidden || refresh(refreshFigures), interval);
  setInterval(() => document.hidden || refresh(refreshHistory, refreshTraining), Math.max(30000 / Number(speed), interval));
  document.addEventListener("visibilitychange", () =>
    document.hidden || refresh(refreshFigures, refreshHistory, refreshTraining));
})();
