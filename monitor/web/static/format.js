// Formats of numbers and times. Times are in UTC, or in the time zone of the browser after `clock.toggle`.
"use strict";
const format = (() => {
  const orDash = (write) => (v) => (v == null ? "-" : write(v));
  return {
    percent: orDash((v) => `${(100 * v).toFixed(v < 0.1 ? 1 : 0)}%`),
    wholePercent: orDash((v) => `${Math.round(100 * v)}%`),
    number: orDash((v) => String(Number(v.toPrecision(3)))),
    bytes: orDash((v) => {
      const [prefix, size] = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, s]) => v >= s) ?? ["", 1];
      return `${Number((v / size).toPrecision(3))} ${prefix}B/s`;
    }),
    fixed: (digits) => orDash((v) => v.toFixed(digits)),
    exponential: (digits) => orDash((v) => v.toExponential(digits)),
  };
})();

const clock = (() => {
  const KEY = "monitor-local-time";
  // A browser may forbid the storage.
  const stored = (action) => { try { return action(localStorage); } catch { return null; } };
  let local = stored((s) => s.getItem(KEY)) === "1";
  const digits = (n) => String(n).padStart(2, "0");

  // A Date whose local fields are those of the shown time zone.
  function date(seconds) {
    const at = new Date(seconds * 1000);
    return local ? at : new Date(at.getTime() + at.getTimezoneOffset() * 60000);
  }

  return {
    date,
    get zone() { return local ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC"; },
    toggle() {
      local = !local;
      stored((s) => s.setItem(KEY, local ? "1" : "0"));
    },
    text(seconds) {
      const d = date(seconds);
      const day = [d.getFullYear(), digits(d.getMonth() + 1), digits(d.getDate())].join("-");
      return `${day} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(digits).join(":")}`;
    },
    // Rewrite the times of the page, which the daemon renders in UTC.
    apply(root) {
      for (const time of root.querySelectorAll("time[datetime]"))
        time.textContent = `${this.text(Date.parse(time.dateTime) / 1000)}${local ? "" : " UTC"}`;
    },
  };
})();
