// A long list of which only the rows in sight exist. All rows are equally high, and the page itself scrolls.

import { el, mark } from "./dom.js";

const SPARE = 8;

// `draw(row, item)` fills a row that `make()` has made; `key(item)` names it, so that it stays the same element.
export function rows({ label, columns, make, draw, key }) {
  const head = el(
    "div",
    { class: "row head", role: "row" },
    columns.map((name) => el("span", { role: "columnheader", text: name })),
  );
  const inner = el("div", { class: "rows-inner", role: "rowgroup" });
  const table = el(
    "div",
    { class: "rows", role: "table", "aria-label": label },
    el("div", { role: "rowgroup" }, head),
    inner,
  );
  const shown = new Map();
  let items = [];
  let asked = false;

  function place() {
    asked = false;
    if (!table.isConnected) return;
    const height = parseFloat(getComputedStyle(table).getPropertyValue("--row"));
    inner.style.height = `${items.length * height}px`;
    const top = inner.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - SPARE);
    const last = Math.min(items.length, Math.ceil((innerHeight - top) / height) + SPARE);
    mark(table, "aria-rowcount", items.length + 1);
    const wanted = new Set();
    for (let index = first; index < last; index += 1) {
      const name = key(items[index]);
      wanted.add(name);
      let row = shown.get(name);
      if (!row) {
        row = make(items[index]);
        shown.set(name, row);
        inner.append(row);
      }
      mark(row, "aria-rowindex", index + 2);
      if (row.at !== index) {
        row.style.transform = `translateY(${index * height}px)`;
        row.at = index;
      }
      draw(row, items[index]);
    }
    for (const [name, row] of shown) {
      if (wanted.has(name)) continue;
      row.remove();
      shown.delete(name);
    }
  }

  function ask() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(place);
  }

  addEventListener("scroll", ask, { passive: true });
  addEventListener("resize", ask);
  return {
    element: table,
    show(next) {
      items = next;
      ask();
    },
    again: ask,
    close() {
      removeEventListener("scroll", ask);
      removeEventListener("resize", ask);
    },
  };
}
