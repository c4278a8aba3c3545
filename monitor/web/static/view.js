// Period that the history shows: the last hours, or a fixed period. It is in the address of the page.
"use strict";
const view = (() => {
  const { oldestSample } = document.body.dataset;
  const recorded = Date.now() / 1000 - Number(oldestSample ?? 0);
  const buttons = [...document.querySelectorAll("[data-range]")];
  const maxSpan = Number(document.getElementById("history").dataset.maxRange);
  let range = recorded < 900 ? "15m" : recorded < 3600 ? "1h" : "6h";
  // [from, to] in seconds since the epoch; null for a period that ends now.
  let fixed = null, horizons = null, changed = () => {};
  // Latest known time of the daemon, whose clock may be ahead of the browser's.
  let latest = Date.now() / 1000;

  function read() {
    const query = new URLSearchParams(location.search);
    const from = Number(query.get("from")), to = Number(query.get("to"));
    fixed = query.has("from") && query.has("to") && to - from >= 60 ? [from, to] : null;
    if (buttons.some((button) => button.dataset.range === query.get("range"))) range = query.get("range");
    horizons = query.has("horizon") ? query.get("horizon").split(",") : null;
  }

  function write() {
    const query = new URLSearchParams(fixed ? { from: fixed[0], to: fixed[1] } : { range });
    if (horizons) query.set("horizon", horizons.join(","));
    window.history.replaceState(null, "", `?${query}`);
    for (const button of buttons) button.setAttribute("aria-pressed", String(!fixed && button.dataset.range === range));
    document.querySelector("[data-action='live']").disabled = !fixed;
  }

  function show(period) {
    fixed = period;
    write();
    changed();
  }

  function showBetween(from, to) {
    const span = Math.min(to - from, maxSpan);
    const end = Math.min((from + to + span) / 2, latest);
    show([Math.floor(end - span), Math.ceil(end)]);
  }

  // Move or stretch the shown period: `shift` is in spans, `factor` multiplies the span.
  function transform(shift, factor, shown) {
    const span = shown.until - shown.from, middle = (shown.until + shown.from) / 2 + shift * span;
    showBetween(middle - (factor * span) / 2, middle + (factor * span) / 2);
  }

  read();
  return {
    // Call `change` whenever another period is chosen; `shown` returns the last history document.
    start(change, shown) {
      changed = change;
      write();
      const actions = {
        earlier: () => transform(-0.5, 1, shown()),
        later: () => transform(0.5, 1, shown()),
        wider: () => transform(0, 2, shown()),
        live: () => show(null),
      };
      for (const [name, action] of Object.entries(actions))
        document.querySelector(`[data-action="${name}"]`).addEventListener("click", () => shown() && action());
      for (const button of buttons)
        button.addEventListener("click", () => { range = button.dataset.range; show(null); });
      addEventListener("popstate", () => { read(); write(); changed(); });
    },
    showBetween,
    // Report the end of a shown period.
    reached: (until) => (latest = Math.max(latest, until, Date.now() / 1000)),
    reset: () => show(null),
    get horizons() { return horizons; },
    chooseHorizons(names) {
      horizons = names;
      write();
    },
    get query() { return fixed ? `from=${fixed[0]}&to=${fixed[1]}` : `range=${range}`; },
  };
})();
