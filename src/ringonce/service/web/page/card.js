// One call, live: how it stands, what happened so far, and what can be done to it.

import { get, post } from "./api.js";
import { announce, button, el, field, mark, seldom, tell } from "./dom.js";
import { timeline } from "./timeline.js";
import { PHASES, because, evidenceOf, moment, phaseWord, spaced, span, standing } from "./words.js";
import { clock, nameOf, on } from "./world.js";

export function callCard(id, { who, changed = () => {}, heading = "h2" }) {
  const title = el(heading, { text: "Call", tabindex: heading === "h1" ? "-1" : null });
  const word = el("p", { class: "cardstate" });
  const steps = el(
    "ol",
    { class: "steps big" },
    PHASES.map((phase) => el("li", { text: phaseWord(phase) })),
  );
  const spent = el("span", { class: "number soft" });
  const why = el("p", { class: "soft" });
  const acts = el("div", { class: "acts" });
  const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
  const wrap = wrapUp();
  const lines = el("div");
  const element = el(
    "article",
    { class: "panel card" },
    title,
    el("div", { class: "cardhead" }, word, spent),
    steps,
    why,
    acts,
    wrong,
    wrap.element,
    lines,
  );
  let call = null;
  let busy = false;
  let closed = false;
  let before = "";
  let unseen = false;

  const look = seldom(async () => {
    try {
      const told = await get(`/v1/calls/${id}/story`, {}, { lost: "It is looked at again once the connection is back." });
      if (closed) return;
      call = told.call;
      lines.replaceChildren(timeline(told));
      show();
      if (unseen) wrong.hidden = true;
      unseen = false;
    } catch (problem) {
      fail(problem);
      unseen = true;
    }
  }, 400);

  function show() {
    const flying = call.state === "dialing" || call.state === "live";
    tell(title, `${spaced(call.to)} for ${nameOf(call)}`);
    const stands = standing(call) + (call.muted ? ", muted" : "");
    tell(word, stands);
    mark(element, "data-state", call.state);
    mark(word, "data-outcome", call.state === "ended" ? call.outcome : call.state);
    if (before && before !== stands) announce(`The call is now: ${stands}.`);
    before = stands;
    const phase = call.state === "dialing" ? "requested" : call.progress || (flying ? "requested" : "");
    const reached = call.outcome === "answered" || phase === "held" ? PHASES.length : PHASES.indexOf(phase) + 1;
    steps.hidden = !flying;
    [...steps.children].forEach((step, index) => {
      mark(step, "class", index < reached ? "reached" : null);
      mark(step, "aria-current", index === reached - 1 ? "step" : null);
    });
    const waits =
      call.state === "waiting" && call.due_at && call.due_at < 4e9 && call.due_at > clock() + 30
        ? `Looked at again ${moment(call.due_at)}. `
        : "";
    tell(why, waits + (call.state === "ended" ? evidenceOf(call) : because(call)));
    tick();
    offer(flying);
    changed(call);
  }

  function tick() {
    if (!call) return;
    const from = call.placed_at || call.created_at;
    tell(spent, call.state === "waiting" ? "" : span((call.ended_at || clock()) - from));
  }

  function offer(flying) {
    const may =
      who.role !== "viewer" &&
      (who.role === "admin" ||
        !who.agents.length ||
        who.agents.includes(call.agent.toLowerCase()) ||
        who.agents.includes(call.agent_id));
    const live = call.state === "live";
    const offered = [];
    if (may && live) {
      offered.push(["hangup", "Hang up", "danger main"]);
      if (call.progress === "connected") offered.push(call.held ? ["resume", "Resume", ""] : ["hold", "Hold", ""]);
      offered.push(call.muted ? ["unmute", "Unmute", ""] : ["mute", "Mute", ""]);
    }
    if (may && call.state === "waiting") offered.push(["cancel", "Cancel the call", "danger"]);
    const names = offered.map(([name]) => name).join();
    if (acts.dataset.names !== names) {
      const focused = acts.contains(document.activeElement);
      acts.dataset.names = names;
      acts.replaceChildren(...offered.map(([name, text, kind]) => button(text, () => act(name), { kind })));
      if (focused && acts.firstElementChild) acts.firstElementChild.focus();
    }
    if (call.state === "unknown")
      acts.replaceChildren(el("a", { class: "button", href: "#/doubts", text: "Settle what became of it" }));
    wrap.element.hidden = !(
      may &&
      call.conversation_id &&
      (call.outcome === "answered" || call.progress === "connected") &&
      (flying || call.state === "ended")
    );
    for (const one of acts.children) one.disabled = busy;
  }

  async function act(name) {
    if (busy) return;
    busy = true;
    wrong.hidden = true;
    unseen = false;
    for (const one of acts.children) one.disabled = true;
    try {
      call = await post(`/v1/calls/${id}/${name}`, undefined, { lost: "See how the call stands, then press again." });
    } catch (problem) {
      fail(problem);
    }
    busy = false;
    if (call) show();
    look();
  }

  function wrapUp() {
    const code = el("input", { type: "text", name: "code", maxlength: "256", required: true, autocomplete: "off" });
    const notes = el("input", { type: "text", name: "notes", maxlength: "2000", autocomplete: "off" });
    const keep = button("Keep the wrap-up", null, { type: "submit" });
    const said = el("p", { class: "soft", role: "status" });
    const form = el("form", { class: "inline" }, field("Wrap-up code", code), field("Notes", notes), keep);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      keep.disabled = true;
      wrong.hidden = true;
      tell(said, "");
      try {
        await post(`/v1/calls/${id}/wrapup`, { code: code.value.trim(), notes: notes.value.trim() });
        tell(said, `Kept: ${code.value.trim()}.`);
      } catch (problem) {
        fail(problem);
      }
      keep.disabled = false;
    });
    return { element: el("details", { class: "wrap", hidden: true }, el("summary", { text: "Wrap up" }), form, said) };
  }

  function fail(problem) {
    if (closed) return;
    wrong.hidden = false;
    wrong.textContent = problem.told;
  }

  const off = [on("call", (event) => event.body.id === id && look()), on("whole", look)];
  const timer = setInterval(tick, 1000);
  look();
  return {
    id,
    element,
    state: () => call?.state || "",
    close() {
      closed = true;
      off.forEach((one) => one());
      clearInterval(timer);
      look.stop();
    },
  };
}
