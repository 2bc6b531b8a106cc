// History: calls by agent, number, outcome, state and day, the newest first.

import { get } from "./api.js";
import { button, el, field } from "./dom.js";
import { OUTCOME, because, dayOf, outcomeWord, spaced, standing, stateWord, timeOf } from "./words.js";
import { nameOf, namesFor } from "./world.js";

const STATES = ["waiting", "live", "ended", "refused", "unknown", "cancelled", "expired"];
const FIELDS = ["agent", "number", "outcome", "state", "from_day", "to_day", "batch"];

export function history(place, { query }) {
  const input = (name, type, more = {}) =>
    el("input", { type, name, autocomplete: "off", value: query.get(name) || "", ...more });
  const choice = (name, options) => {
    const select = el(
      "select",
      { name },
      el("option", { value: "", text: "Any" }),
      options.map(([value, text]) => el("option", { value, text })),
    );
    select.value = query.get(name) || "";
    return select;
  };
  const number = input("number", "tel", { maxlength: "64" });
  const numberField = field("Number", number, { hint: "The whole number" });
  const form = el(
    "form",
    { class: "panel filters", role: "search", "aria-label": "Calls" },
    field("Agent", input("agent", "text", { maxlength: "256", spellcheck: "false" })),
    numberField,
    field("Outcome", choice("outcome", Object.entries(OUTCOME))),
    field(
      "State",
      choice(
        "state",
        STATES.map((state) => [state, stateWord(state)]),
      ),
    ),
    field("From", input("from_day", "date")),
    field("To", input("to_day", "date")),
    el("input", { type: "hidden", name: "batch", value: query.get("batch") || "" }),
    el(
      "div",
      { class: "acts" },
      button("Search", null, { kind: "main", type: "submit" }),
      button("Clear", () => (location.hash = "#/history")),
    ),
  );
  const body = el("tbody");
  const table = el(
    "table",
    { class: "list calls" },
    el("caption", { class: "unseen", text: "Calls, the newest first" }),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["Taken in", "Agent", "Number", "Became", "Why"].map((name) => el("th", { scope: "col", text: name })),
      ),
    ),
    body,
  );
  const said = el("p", { class: "empty", role: "status", hidden: true });
  const more = button("Show more", () => load());
  more.hidden = true;
  place.append(el("h1", { tabindex: "-1", text: "History" }), form, table, said, more);

  let cursor = "";
  const wanted = Object.fromEntries(FIELDS.map((name) => [name, query.get(name) || ""]));

  async function load() {
    more.disabled = true;
    try {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const page = await get("/v1/calls", { ...wanted, zone, cursor, limit: 50 });
      await namesFor(page.calls);
      body.append(...page.calls.map(row));
      cursor = page.next || "";
      more.hidden = !page.next;
      table.hidden = !body.childElementCount;
      said.hidden = Boolean(body.childElementCount);
      said.textContent = Object.values(wanted).some(Boolean) ? "No call is like that." : "No call was taken in yet.";
    } catch (problem) {
      table.hidden = !body.childElementCount;
      if (wanted.number && problem.kind === "number-refused") numberField.note(problem.message, true);
      said.hidden = false;
      said.textContent = problem.message;
    }
    more.disabled = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const made = new URLSearchParams([...new FormData(form)].filter(([, value]) => String(value).trim()));
    const next = `#/history${made.size ? `?${made}` : ""}`;
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = next;
  });
  load();
}

export function row(call) {
  const became = call.state === "ended" ? outcomeWord(call.outcome) : standing(call);
  return el(
    "tr",
    { "data-state": call.state },
    el(
      "td",
      { class: "number" },
      el(
        "a",
        { href: `#/history/${call.id}` },
        el("span", { class: "soft", text: `${dayOf(call.created_at)} ` }),
        timeOf(call.created_at),
      ),
    ),
    el("td", { text: nameOf(call) }),
    el("td", { class: "number", text: spaced(call.to) }),
    el(
      "td",
      {},
      el("span", { class: "tag", "data-outcome": call.state === "ended" ? call.outcome : call.state, text: became }),
    ),
    el("td", { class: "soft", text: call.state === "ended" ? call.evidence?.because || "" : because(call) }),
  );
}
