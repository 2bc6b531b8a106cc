// Dial: one call. The number is looked at while it is typed, and the button says whom it rings.

import { get, post } from "./api.js";
import { callCard } from "./card.js";
import { announce, button, el, field, mark, seldom, tell } from "./dom.js";
import { keepsNothing } from "./keeping.js";
import { decision, keepForm, keptForm, known as alsoKnown, over, refused, sending, taken } from "./press.js";
import { many, moment } from "./words.js";
import { on, world } from "./world.js";

const OVER = new Set(["ended", "refused", "cancelled", "expired"]);
const SETTLED = { unknown: "May have rung: settle it first" };
const LOOK_AGAIN = 60_000;

export function dial(place, { who, query }) {
  const form = { agent: "", to: "", from: "own", caller_id: "", queue: "", ...keptForm() };
  if (query.get("agent")) form.agent = query.get("agent");
  const names = el("datalist", { id: "agents-known" });
  const agent = el("input", {
    type: "text",
    name: "agent",
    autocomplete: "off",
    spellcheck: "false",
    list: "agents-known",
    maxlength: "256",
    required: true,
    value: form.agent,
  });
  const to = el("input", {
    type: "tel",
    name: "to",
    autocomplete: "off",
    maxlength: "64",
    required: true,
    value: form.to,
  });
  const from = el(
    "select",
    { name: "from" },
    [
      ["own", "The agent's own number"],
      ["caller_id", "This number"],
      ["queue", "For a queue"],
    ].map(([value, text]) => el("option", { value, text })),
  );
  from.value = form.from;
  const caller = el("input", {
    type: "tel",
    name: "caller_id",
    autocomplete: "off",
    maxlength: "64",
    value: form.caller_id,
  });
  const queue = el("input", { type: "text", name: "queue", autocomplete: "off", maxlength: "256", value: form.queue });
  const agentField = field("Agent", agent, { hint: "Who talks: e-mail, full name or id." });
  const toField = field("Number", to, { hint: "In any form that people write." });
  const callerField = field("Number to show", caller);
  const queueField = field("Queue", queue, { hint: "By name or id. Its own number is shown." });
  const seen = el("div", { class: "seen", "aria-live": "polite" });
  const press = button("Call", null, { kind: "main", type: "submit" });
  const check = button("Check without ringing", () => look(), { kind: "" });
  const findings = el("div");
  const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
  const unkept = el("p", {
    class: "notice warn",
    hidden: true,
    text: "This browser keeps nothing for the page. Pressing twice is still one call, but after a reload, or in another tab, it would be another one.",
  });
  const side = el("div", { class: "side" });
  const viewer = who.role === "viewer";
  const element = el(
    "form",
    { class: "panel dialform", "aria-label": "One call" },
    viewer
      ? el("p", { class: "notice warn", text: "Your token is a viewer's: it sees calls and can't place any." })
      : null,
    el(
      "fieldset",
      { disabled: viewer },
      agentField,
      names,
      toField,
      seen,
      field("Shows as", from),
      callerField,
      queueField,
      unkept,
      wrong,
      el("div", { class: "acts" }, press, check),
      findings,
    ),
  );
  place.append(el("h1", { tabindex: "-1", text: "Dial" }), el("div", { class: "two" }, element, side));

  let card = null;
  let known = null;
  let asked = 0;
  let busy = false;
  let bring = false;

  const body = () => ({
    agent: one(agent.value),
    to: known && known.typed === to.value.trim() ? known.number : to.value.trim(),
    ...(from.value === "caller_id" && caller.value.trim() ? { caller_id: plain(caller.value) } : {}),
    ...(from.value === "queue" && queue.value.trim() ? { queue: one(queue.value) } : {}),
  });
  const agentId = () => (known && known.agent === one(agent.value) ? known.agent_id : "");

  function changed() {
    keepForm({ agent: agent.value, to: to.value, from: from.value, caller_id: caller.value, queue: queue.value });
    callerField.hidden = from.value !== "caller_id";
    queueField.hidden = from.value !== "queue";
    wrong.hidden = true;
    findings.replaceChildren();
    if (known && known.typed !== to.value.trim()) known = null;
    if (!known || known.agent !== one(agent.value)) lookUp();
    settle();
  }

  // What the button says and does follows from what is known of the number and of the decision.
  function settle() {
    const whole = agent.value.trim() && known && known.typed === to.value.trim() && known.agent === one(agent.value);
    const number = known ? known.international : "";
    let off = viewer || busy || !whole || Boolean(known && !known.allowed && known.allowed_from === null);
    const whom = one(agent.value);
    const later = known && !known.allowed && known.allowed_from ? ` from ${moment(known.allowed_from)} on` : "";
    let words = whole ? `Call ${number} for ${whom}${later}` : "Call";
    check.disabled = viewer || !(agent.value.trim() && to.value.trim());
    unkept.hidden = !keepsNothing();
    const made = whole ? decision(body(), agentId()) : null;
    if (made?.call && made.call !== card?.id) follow(made.call);
    if (made?.call) {
      const done = OVER.has(card.state());
      off ||= !done;
      words = done ? `${words} once more` : SETTLED[card.state()] || "This call is taken in";
    }
    mark(press, "aria-disabled", off ? "true" : null);
    tell(press, words);
  }

  const lookUp = seldom(async () => {
    const typed = to.value.trim();
    const turn = ++asked;
    if (viewer) return;
    if (typed.replace(/\D/g, "").length < 3) {
      seen.replaceChildren();
      toField.note("");
      return;
    }
    try {
      const whom = one(agent.value);
      const found = await get("/v1/number", { to: typed, agent: whom }, { lost: "It is looked up again once the connection is back." });
      if (turn !== asked) return;
      known = { ...found, typed, agent: whom };
      if (known.agent_id) alsoKnown(body(), known.agent_id);
      agentField.note("");
      toField.note("");
      seen.replaceChildren(...told(found));
    } catch (problem) {
      if (turn !== asked) return;
      known = null;
      seen.replaceChildren();
      if (problem.kind === "not-allowed") agentField.note(problem.message, true);
      else toField.note(problem.told, true);
    }
    settle();
  }, 250);

  function follow(id) {
    if (card?.id === id) return;
    card?.close();
    card = callCard(id, { who, changed: shown });
    side.replaceChildren(card.element);
  }

  function ended(event) {
    if (OVER.has(event.body.state)) over(event.body.id);
  }

  // Where the card lies below the form, what was pressed for is brought into sight.
  function shown(call) {
    over(call.id, OVER.has(call.state));
    if (bring && matchMedia("(max-width: 860px)").matches) side.scrollIntoView({ block: "start" });
    bring = false;
    settle();
  }

  async function send() {
    if (busy || press.hasAttribute("aria-disabled")) return;
    busy = true;
    wrong.hidden = true;
    const asked = body();
    const after = card && decision(asked, agentId())?.call === card.id && OVER.has(card.state()) ? card.id : "";
    const { key, fresh, agent: whom, queue: which } = sending(asked, agentId(), after);
    settle();
    try {
      // What was sent once is sent again letter by letter: the server holds a key to its call.
      const sent = { ...asked, agent: whom, ...(which ? { queue: which } : {}) };
      const call = await post("/v1/calls", sent, {
        headers: { "Idempotency-Key": key },
        lost: "Press again: it is the same call.",
      });
      taken(asked, key, call);
      follow(call.id);
      announce("The call is taken in.");
      bring = true;
    } catch (problem) {
      if (fresh && problem.refused) refused(key);
      if (!problem.refused) await spellings(asked);
      wrong.hidden = false;
      wrong.textContent = problem.told;
    }
    busy = false;
    settle();
  }

  // The server may know the agent by now, whose call is in doubt.
  async function spellings(asked) {
    const found = await get("/v1/number", { to: asked.to, agent: asked.agent }).catch(() => null);
    if (found?.agent_id) alsoKnown(asked, found.agent_id);
  }

  async function look() {
    check.disabled = true;
    findings.replaceChildren(el("p", { class: "soft", text: "Asking the platform …" }));
    const { agent: whom, ...rest } = body();
    try {
      const { findings: found } = await get("/v1/check", { agent: whom, ...rest });
      findings.replaceChildren(findingList(found));
    } catch (problem) {
      findings.replaceChildren(
        el("p", { class: "notice bad", text: problem.told }),
      );
    }
    settle();
  }

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  element.addEventListener("input", changed);
  get("/v1/agents", { limit: 1000 })
    .then((page) => names.append(...page.agents.map((one) => el("option", { value: one.name }))))
    .catch(() => {});
  const other = (event) => event.key === "ringonce.keys" && settle();
  addEventListener("storage", other);
  // What may be called now changes by itself: with the clock, the switch that stops all dialling, and the connection.
  let stopped = world.now?.stop.stopped;
  const off = [
    on("call", ended),
    on("whole", lookUp),
    on("now", (now) => {
      if (stopped !== undefined && stopped !== now.stop.stopped) lookUp();
      stopped = now.stop.stopped;
    }),
  ];
  const minutely = setInterval(lookUp, LOOK_AGAIN);
  side.append(
    el("div", { class: "empty calm" }, el("p", { text: "The call shows up here, from the press to its end." })),
  );
  changed();
  return () => {
    removeEventListener("storage", other);
    off.forEach((stop) => stop());
    clearInterval(minutely);
    lookUp.stop();
    card?.close();
  };
}

const one = (text) => text.trim().replace(/\s+/g, " ");
const plain = (number) => (/[a-z]/i.test(number) ? number.trim() : number.replace(/[\s().-]/g, ""));

function told(found) {
  const named = found.countries.map((code) => (code === "001" ? "no country" : countryName(code)));
  const where =
    named.length > 2
      ? `${named[0]}, or one of ${many(named.length - 1, "other country", "other countries")} of its code`
      : named.join(" or ") || "place not known";
  const clocks = found.clocks.map(
    (one) => `${one.time.slice(11, 16)} in ${one.zone.split("/").pop().replaceAll("_", " ")}`,
  );
  const some =
    clocks.slice(0, 3).join(", ") + (clocks.length > 3 ? `, and ${many(clocks.length - 3, "more zone")}` : "");
  const allowed = found.allowed
    ? el("p", { class: "verdict good", text: "May be called now" })
    : el("p", {
        class: "verdict bad",
        text: found.allowed_from
          ? `May be called from ${moment(found.allowed_from)} on`
          : `Must not be called${found.never ? `: ${found.never}` : ""}`,
      });
  return [
    el("p", {}, el("strong", { class: "number", text: found.international }), ` ${where}`),
    some ? el("p", { class: "soft", text: `It is ${some}` }) : null,
    allowed,
    ...found.refusals.map((one) => el("p", { class: "soft", text: `${one.rule}: ${one.said}` })),
    ...found.warnings.map((one) => el("p", { class: "soft", text: one })),
  ].filter(Boolean);
}

const COUNTRY = new Intl.DisplayNames(["en"], { type: "region" });
function countryName(code) {
  try {
    return COUNTRY.of(code);
  } catch {
    return code;
  }
}

export function findingList(found) {
  const word = { pass: "Fine", warn: "Perhaps", fail: "Fails" };
  return el(
    "ul",
    { class: "findings" },
    found.map((one) =>
      el(
        "li",
        { "data-verdict": one.verdict },
        el("span", { class: "tag", text: word[one.verdict] || one.verdict }),
        el(
          "div",
          {},
          el("strong", { text: one.name }),
          ` ${one.evidence}`,
          one.remedy ? el("p", { class: "soft", text: one.remedy }) : null,
        ),
      ),
    ),
  );
}
