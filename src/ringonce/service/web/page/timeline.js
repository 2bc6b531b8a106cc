// A call's story in order: what changed, what was sent, what the guard said, what people did.

import { el } from "./dom.js";
import { because, evidenceOf, moment, standing, timeOf } from "./words.js";

const SOURCE = { feed: "Call", ledger: "Create", guard: "Rules", audit: "Person" };
const AUDITED = {
  "call.cancelled": "cancelled it",
  "call.hangup": "hung up",
  "call.override": "set rules aside",
  "call.resolved": "settled it",
};

export function timeline({ call, story, more, who }) {
  const begun = call.created_at;
  const items = [];
  let last = "";
  // A row of a batch is taken in without an event of its own.
  const taken = { at: call.created_at, source: "feed", what: "call.accepted", body: {} };
  const whole = story.some((entry) => entry.what === "call.accepted") ? story : [taken, ...story];
  for (const entry of whole) {
    const [words, detail] = told(entry, who);
    if (!words) continue;
    if (entry.source === "feed") {
      if (words + detail === last) continue;
      last = words + detail;
    }
    items.push(item(entry, words, detail, begun));
  }
  return el(
    "div",
    { class: "story" },
    el("h3", {}, "What happened ", el("span", { class: "soft", text: moment(begun) })),
    el("ol", { class: "timeline" }, items),
    more ? el("p", { class: "soft", text: "The middle of this long story is left out." }) : null,
  );
}

function item(entry, words, detail, begun) {
  const after = Math.max(0, entry.at - begun);
  const at = after < 3600 ? `+${after.toFixed(1)} s` : timeOf(entry.at);
  return el(
    "li",
    { "data-source": entry.source },
    el("time", {
      class: "number",
      datetime: new Date(entry.at * 1000).toISOString(),
      title: timeOf(entry.at),
      text: at,
    }),
    el("span", { class: "source", text: SOURCE[entry.source] || entry.source }),
    el("div", { class: "what" }, el("span", { text: words }), detail ? el("p", { class: "soft", text: detail }) : null),
  );
}

function told(entry, who) {
  const body = entry.body;
  const name = (id) => who[id] || id || "somebody";
  if (entry.source === "ledger") {
    if (entry.what === "armed") return ["Written down before it is sent", `intent ${body.intent}`];
    const came = body.conversation_id ? `conversation ${body.conversation_id}` : body.refusal || "";
    const words = {
      placed: body.adopted ? "Found by looking for it" : "The platform took it",
      refused: "The platform refused it",
      unknown: "The answer was lost",
      unsent: "It never left",
    };
    return [words[entry.what] || entry.what, [came, body.evidence].filter(Boolean).join(" · ")];
  }
  if (entry.source === "audit") {
    const more = [body.reason && `“${body.reason}”`, body.rules && [].concat(body.rules).join(", ")]
      .filter(Boolean)
      .join(" · ");
    return [`${name(body.who)} ${AUDITED[entry.what] || entry.what.replaceAll(".", " ")}`, more];
  }
  if (entry.source === "guard" && entry.what === "allowed") return ["May ring", ""];
  // What became of it follows at once, with the evidence.
  if (body.state === "live" && body.progress === "ended") return ["", ""];
  if (entry.what === "call.accepted") return ["Taken in", ""];
  const by = body.why?.by ? `by ${name(body.why.by)}` : "";
  const detail =
    body.state === "ended" ? evidenceOf(body) : because(body) === "Waits for its turn" ? "" : because(body);
  const again = body.state === "waiting" && body.due_at && body.due_at < 4e9 ? `again ${moment(body.due_at)}` : "";
  return [standing(body), [detail, again, by].filter(Boolean).join(" · ")];
}
