"use strict";
(() => {
  document.documentElement.classList.add("js");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const make = (name, text) => Object.assign(document.createElement(name), { type: "button", textContent: text });

  /* Let a table be sorted by a click on the heading of a column; `sort(index, down)` does it too. */
  const sortable = (table, changed = () => {}) => {
    const body = table.tBodies[0], first = [...body.rows], heads = [...table.tHead.rows[0].cells];
    const key = (row, index) => row.cells[index].dataset.sort ?? row.cells[index].textContent.trim();
    const number = /^[-+]?[0-9.,]+(e[-+]?[0-9]+)?$/i;
    const sort = (index, down) => {
      heads.forEach((head, i) => i === index
        ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
      if (index < 0) { body.append(...first); return; }
      const keys = first.map((row, i) => [key(row, index), i]);
      const numbers = keys.every(([text]) => text === "" || number.test(text));
      const value = text => parseFloat(text.replaceAll(",", ""));
      const compare = numbers ? (a, b) => value(a) - value(b) : collator.compare;
      keys.sort(([a, i], [b, j]) =>
        (a === "") - (b === "") || (a === "" ? 0 : (down ? -1 : 1) * compare(a, b)) || i - j);
      body.append(...keys.map(([, i]) => first[i]));
    };
    heads.forEach((head, index) => {
      const button = make("button", head.textContent);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        sort(index, down);
        changed(index, down);
      });
      head.replaceChildren(button);
    });
    return sort;
  };
  document.querySelectorAll("table.sortable").forEach(table => sortable(table));

  /* A button at each command copies it. */
  const copy = async text => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "quiet" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
  };
  document.querySelectorAll(".code").forEach(block => {
    const button = make("button", "Copy");
    button.className = "copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(block.querySelector("code").textContent).then(
      () => { button.textContent = "Copied"; }, () => { button.textContent = "Select it"; }
    ).then(() => setTimeout(() => { button.textContent = "Copy"; }, 1600)));
    block.append(button);
  });

  /* Search and filters of the table of models; what is chosen is kept in the link. */
  const table = document.getElementById("models");
  if (!table) return;
  const form = document.getElementById("controls"), query = document.getElementById("query");
  const order = document.getElementById("order"), count = document.getElementById("count");
  const selects = [...form.querySelectorAll("select[data-facet]")];
  const keys = table.dataset.keys.split(" ");
  const rows = [...table.tBodies[0].rows].map(row => ({
    row, words: row.dataset.words, facets: row.dataset.facets.split("\t").map(values => values.split("\n")),
  }));
  const sort = sortable(table, (index, down) => { order.value = (down ? "-" : "") + index; save(); });

  const show = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = selects.filter(select => select.value)
      .map(select => [keys.indexOf(select.dataset.facet), select.value]);
    let shown = 0;
    for (const { row, words: text, facets } of rows) {
      const matches = wanted.every(([index, value]) => facets[index].includes(value))
        && words.every(word => text.includes(word));
      if (row.hidden === matches) row.hidden = !matches;
      shown += matches;
    }
    selects.forEach(select => select.classList.toggle("on", Boolean(select.value)));
    count.textContent = shown === rows.length
      ? `${rows.length.toLocaleString("en")} models` : `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} models`;
    document.getElementById("none").hidden = shown > 0;
  };
  const save = () => {
    const state = new URLSearchParams();
    if (query.value) state.set("q", query.value);
    selects.filter(select => select.value).forEach(select => state.set(select.dataset.facet, select.value));
    if (order.value) state.set("sort", order.value);
    history.replaceState(null, "", String(state) ? `#${state}` : location.pathname + location.search);
  };
  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    query.value = state.get("q") ?? "";
    selects.forEach(select => { select.value = state.get(select.dataset.facet) ?? ""; if (select.selectedIndex < 0) select.value = ""; });
    order.value = state.get("sort") ?? "";
    if (order.selectedIndex < 0) order.value = "";
    arrange();
    show();
  };
  const arrange = () => sort(order.value === "" ? -1 : Math.abs(parseInt(order.value, 10)), order.value.startsWith("-"));
  const reset = () => { history.replaceState(null, "", location.pathname + location.search); restore(); };

  query.addEventListener("input", () => { show(); save(); });
  selects.forEach(select => select.addEventListener("change", () => { show(); save(); }));
  order.addEventListener("change", () => { arrange(); save(); });
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", event => { event.preventDefault(); reset(); });
  document.getElementById("again").addEventListener("click", reset);
  window.addEventListener("hashchange", restore);
  restore();
})();
