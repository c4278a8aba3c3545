// Sliders of the what-if form: each follows its number field, and a change computes the result at once.
// Without this script the number fields and the button do the same.
"use strict";
(() => {
  const form = document.getElementById("what-if-form");
  if (!form) return;
  let latest = 0;

  async function compute() {
    if (!form.reportValidity()) return;
    const ticket = ++latest;
    const query = new URLSearchParams(new FormData(form));
    const result = document.getElementById("what-if-result");
    result.setAttribute("aria-busy", "true");
    try {
      // A relative URL would fail where the address of the page contains a password.
      const response = await fetch(new URL(`/config?${query}`, location.origin));
      if (!response.ok) throw new Error(response.status);
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      if (ticket !== latest) return;
      result.replaceChildren(...fresh.getElementById("what-if-result").childNodes);
      clock.apply(result);
      history.replaceState(null, "", `?${query}#what-if`);
    } catch (error) {
      if (ticket === latest) result.textContent = `Not computed: ${error.message}`;
    } finally {
      if (ticket === latest) result.removeAttribute("aria-busy");
    }
  }

  for (const slider of form.querySelectorAll("[data-for]")) {
    const field = document.getElementById(slider.dataset.for);
    slider.value = field.value;
    slider.hidden = false;
    slider.addEventListener("input", () => { field.value = slider.value; });
    slider.addEventListener("change", compute);
    field.addEventListener("input", () => { slider.value = field.value; });
    field.addEventListener("change", compute);
  }
  form.querySelector("select").addEventListener("change", compute);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    compute();
  });
})();
