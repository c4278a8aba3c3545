// Refresh of a page: replaces the figures, which the daemon renders, and runs the jobs that draw charts.
// Without this script the page shows the same figures, as of the time at which it was loaded.
"use strict";
const live = (() => {
  const { interval: sampling, speed } = document.body.dataset;
  const interval = Math.max(5, Number(sampling) / Number(speed)) * 1000;
  // Functions that fetch the data of the charts and draw them, and that draw them again in another time zone.
  const jobs = [], redraws = [];
  let disconnected = false;

  async function get(path, read) {
    // A relative URL would fail where the address of the page contains a password.
    const response = await fetch(new URL(path, location.origin), { headers: { Accept: "text/html, application/json" } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return read(response);
  }

  async function refreshFigures() {
    const html = await get(location.pathname + location.search, (response) => response.text());
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

  async function refresh(...chosen) {
    const message = document.getElementById("connection-lost");
    try {
      await Promise.all(chosen.map((job) => job()));
      disconnected = false;
    } catch (error) {
      const now = clock.text(Date.now() / 1000);
      if (!disconnected) message.textContent = `No response since ${now}; the figures below are out of date. (${error.message})`;
      disconnected = true;
    }
    message.hidden = !disconnected;
    document.body.classList.toggle("stale", disconnected);
  }

  const zone = document.getElementById("zone");
  function applyZone() {
    zone.textContent = clock.zone;
    clock.apply(document);
    redraws.forEach((redraw) => redraw());
  }
  zone.hidden = false;
  zone.addEventListener("click", () => {
    clock.toggle();
    applyZone();
  });
  applyZone();

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((redraw) => redraw()));
  setInterval(() => document.hidden || refresh(refreshFigures), interval);
  setInterval(() => document.hidden || refresh(...jobs), Math.max(30000 / Number(speed), interval));
  document.addEventListener("visibilitychange", () => document.hidden || refresh(refreshFigures, ...jobs));

  return {
    getJson: (path) => get(path, (response) => response.json()),
    refresh,
    // Run a job now and again and again; call `redraw` after a change of the colours or of the time zone.
    every(job, redraw) {
      jobs.push(job);
      redraws.push(redraw);
      refresh(job);
    },
  };
})();
