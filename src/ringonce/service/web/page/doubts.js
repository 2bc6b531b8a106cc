// Refused and unknown: what may have rung and needs a person's word, what must wait, and what was refused for good.

import { get, post } from "./api.js";
import { button, el, field, seldom } from "./dom.js";
import { reasoned } from "./reasoning.js";
import { because, count, moment, spaced, stamp } from "./words.js";
import { nameOf, on, refresh } from "./world.js";

const PAGE = 50;

export function doubts(place, { who }) {
  const unknown = section(
    "May have rung",
    "The answer to the create was lost, and the call was not found. Nobody is dialled again until somebody says what became of it.",
  );
  const held = section("Held back by the rules", "These ring by themselves once the rules allow it.");
  const refused = section("Refused", "Nothing rang, and nothing will.");
  place.append(
    el("h1", { tabindex: "-1", text: "Refused and unknown" }),
    unknown.element,
    held.element,
    refused.element,
  );

  async function load() {
    try {
      const [doubtful, waiting, gone] = await Promise.all([
        get("/v1/calls", { state: "unknown", limit: PAGE }),
        get("/v1/calls", { state: "waiting", waits_for: "guard", limit: PAGE }),
        get("/v1/calls", { state: "refused", limit: PAGE }),
      ]);
      unknown.show(doubtful, (call) => doubtCard(call, who, again), "Nothing is in doubt.");
      held.show(waiting, heldCard, "Nothing is held back.");
      refused.show(gone, refusedCard, "Nothing was refused.");
    } catch (problem) {
      unknown.fail(problem);
    }
  }

  const again = seldom(load, 1500);
  const off = [
    on("call", (event) => ["unknown", "refused", "waiting", "ended"].includes(event.body.state) && again()),
    on("whole", again),
  ];
  load();
  return () => {
    off.forEach((one) => one());
    again.stop();
  };
}

function section(title, words) {
  const number = el("span", { class: "soft number" });
  const list = el("ul", { class: "cards plainlist" });
  const none = el("p", { class: "empty small" });
  const cards = new Map();
  return {
    element: el(
      "section",
      { class: "doubts" },
      el("div", { class: "bar" }, el("h2", { text: title }), number),
      el("p", { class: "soft", text: words }),
      list,
      none,
    ),
    show(page, make, nothing) {
      number.textContent = page.calls.length ? `${count(page.calls.length)}${page.next ? " or more" : ""}` : "";
      none.hidden = page.calls.length > 0;
      none.textContent = nothing;
      const wanted = new Set(page.calls.map((call) => call.id));
      for (const [id, card] of cards) {
        if (wanted.has(id)) continue;
        card.remove();
        cards.delete(id);
      }
      page.calls.forEach((call, index) => {
        // A card stays as it is while nothing has changed: a person may be about to press a button of it.
        if (cards.get(call.id)?.dataset.at !== String(call.changed_at)) {
          cards.get(call.id)?.remove();
          cards.set(call.id, make(call));
          cards.get(call.id).dataset.at = String(call.changed_at);
        }
        const card = cards.get(call.id);
        if (list.children[index] !== card) list.insertBefore(card, list.children[index] || null);
      });
    },
    fail(problem) {
      none.hidden = false;
      none.textContent = problem.message;
    },
  };
}

function headline(call) {
  return el(
    "div",
    { class: "bar" },
    el("a", { class: "number strong", href: `#/history/${call.id}`, text: spaced(call.to) }),
    el("span", { text: `for ${nameOf(call)}` }),
    el("span", { class: "grow" }),
    el("span", { class: "soft number", text: stamp(call.changed_at) }),
  );
}

function doubtCard(call, who, settled) {
  const may = who.role === "admin";
  return el(
    "li",
    { class: "panel doubt", "data-id": call.id },
    headline(call),
    el("p", { class: "evidence", text: because(call) || "Nothing more is known." }),
    may
      ? el(
          "div",
          { class: "acts" },
          button("It rang", () => settle(call, true).then(settled)),
          button("It did not ring", () => settle(call, false).then(settled)),
        )
      : el("p", { class: "soft", text: "An admin settles it." }),
  );
}

async function settle(call, rang) {
  const conversation = el("input", {
    type: "text",
    name: "conversation",
    required: true,
    spellcheck: "false",
    autocomplete: "off",
    pattern: "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    title: "a conversation's id, such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
  });
  const again = el("input", { type: "checkbox", name: "again", id: "dial-again" });
  const whom = `${spaced(call.to)} for ${nameOf(call)}`;
  const question = rang
    ? {
        title: "It rang",
        words: `The call to ${whom} was placed. It is not dialled again.`,
        act: "It rang",
        danger: false,
        extra: field("Conversation", conversation, { hint: "Its id, as the platform's interaction history shows it." }),
      }
    : {
        title: "It did not ring",
        words: `The call to ${whom} never rang. Look at the agent's interactions on the platform before you say so.`,
        act: "It did not ring",
        danger: false,
        extra: el("p", { class: "tick" }, again, el("label", { for: "dial-again", text: "Dial it after all" })),
      };
  const done = await reasoned(question, (reason) =>
    post(
      `/v1/calls/${call.id}/resolve`,
      rang ? { placed: conversation.value.trim(), reason } : { not_placed: true, dial_again: again.checked, reason },
    ),
  );
  if (done) refresh();
}

function heldCard(call) {
  return el(
    "li",
    { class: "panel doubt" },
    headline(call),
    el("p", {}, el("span", { class: "tag", text: call.why.rule || "rules" }), ` ${call.why.said || ""}`),
    el("p", { class: "soft", text: call.due_at && call.due_at < 4e9 ? `Allowed from ${moment(call.due_at)} on` : "" }),
  );
}

function refusedCard(call) {
  return el(
    "li",
    { class: "panel doubt" },
    headline(call),
    el(
      "p",
      {},
      call.why.rule ? el("span", { class: "tag", text: call.why.rule }) : null,
      ` ${call.why.said || because(call)}`,
    ),
  );
}
