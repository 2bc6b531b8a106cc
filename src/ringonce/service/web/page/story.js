// One call's whole story, from the decision to the evidence.

import { get } from "./api.js";
import { callCard } from "./card.js";
import { el } from "./dom.js";
import { spaced, timeOf, dayOf } from "./words.js";
import { nameOf } from "./world.js";

export function story(place, { id, who }) {
  const facts = el("dl", { class: "facts panel" });
  const card = callCard(id, { who, heading: "h1", changed: told });
  place.append(
    el("p", {}, el("a", { href: "#/history", text: "History" })),
    el("div", { class: "two story-view" }, card.element, facts),
  );

  function told(call) {
    const at = (moment) => (moment ? `${dayOf(moment)} ${timeOf(moment)}` : "");
    const rows = [
      ["Agent", nameOf(call)],
      ["Number", spaced(call.to)],
      ["Taken in", at(call.created_at)],
      ["Placed", at(call.placed_at)],
      ["Ended", at(call.ended_at)],
      ["Attempt", String(call.attempt)],
      ["Conversation", call.conversation_id],
      ["Call", call.id],
      ["Idempotency key", call.key],
    ].filter(([, value]) => value);
    facts.replaceChildren(
      ...rows.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value }))),
    );
    if (call.batch_id) {
      facts.append(
        el(
          "div",
          {},
          el("dt", { text: "Batch" }),
          el("dd", {}, el("a", { href: `#/batches/${call.batch_id}`, text: `row ${call.row}` })),
        ),
      );
    }
  }

  get(`/v1/calls/${id}`).catch((problem) => {
    if (problem.status === 404)
      place.replaceChildren(
        el("h1", { tabindex: "-1", text: "No such call" }),
        el("p", { text: problem.message }),
        el("a", { href: "#/history", text: "All calls" }),
      );
  });
  return () => card.close();
}
