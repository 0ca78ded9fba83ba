// Filters and order of the cases. The page is whole without it.
"use strict";

(() => {
  const field = (id) => document.getElementById(id);
  const fields = ["find", "state", "only", "tag", "order"].map(field);
  const [find, state, only, tag, order] = fields;
  const list = field("cases");
  const cases = [...list.children];
  const texts = new Map();

  function text(one) {
    if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase());
    return texts.get(one);
  }

  const unchanged = new Set(["same", "passed"]);

  function fits(one) {
    const about = one.dataset;
    if (state.value === "changed" ? unchanged.has(about.state) : state.value && state.value !== about.state) return false;
    if (only.value && about[only.value] !== "yes") return false;
    if (tag.value && !about.tags.split(" ").includes(tag.value)) return false;
    const words = find.value.trim().toLowerCase();
    return words === "" || text(one).includes(words);
  }

  function sorted() {
    if (!order.value) return cases;
    const amount = (one) => Number(one.dataset[order.value]);
    return [...cases].sort((one, other) => amount(other) - amount(one));
  }

  let last = "";

  function show() {
    let count = 0;
    for (const one of cases) {
      one.hidden = !fits(one);
      if (!one.hidden) count += 1;
    }
    if (order.value !== last) {
      list.append(...sorted());
      last = order.value;
    }
    field("shown").textContent = `${count} of ${cases.length} cases here`;
  }

  // A link to a case opens it, whatever the filters hide.
  function follow() {
    const one = location.hash.startsWith("#case-") && document.getElementById(location.hash.slice(1));
    if (!one) return;
    one.hidden = false;
    one.open = true;
    one.scrollIntoView();
  }

  let waiting = 0;
  find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  });
  for (const one of fields) one.addEventListener("change", show);
  field("clear").addEventListener("click", () => {
    for (const one of fields) one.value = "";
    show();
  });
  addEventListener("hashchange", follow);
  field("filters").hidden = false;
  show();
  follow();
})();
