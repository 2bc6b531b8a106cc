// Agents: who is free, who calls as themselves, and what keeps an agent from being called for.

import { ask, get, post } from "./api.js";
import { findingList } from "./dial.js";
import { button, el, field, mark, seldom, tell } from "./dom.js";
import { reasoned } from "./reasoning.js";
import { agentWord, count, moment, span } from "./words.js";
import { clock, on } from "./world.js";

export function agents(place, { who }) {
  const body = el("tbody");
  const table = el(
    "table",
    { class: "list agents" },
    el("caption", { class: "unseen", text: "Agents" }),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["Agent", "State", "Waiting", "Calls go out as", ""].map((name) =>
          el("th", { scope: "col" }, name || el("span", { class: "unseen", text: "What can be done" })),
        ),
      ),
    ),
    body,
  );
  const find = el("input", { type: "search", placeholder: "Name", "aria-label": "Show only agents with this name" });
  const none = el("p", { class: "empty", hidden: true, text: "No agent was called for yet, and none is enrolled." });
  const more = button("Show more", () => load(next));
  more.hidden = true;
  place.append(
    el("h1", { tabindex: "-1", text: "Agents" }),
    el(
      "div",
      { class: "two agents-view" },
      el(
        "section",
        { class: "everybody" },
        el("div", { class: "bar" }, el("h2", { text: "Everybody" }), el("span", { class: "grow" }), find),
        table,
        none,
        more,
      ),
      el("div", { class: "side" }, who.role === "viewer" ? "" : checking(), who.role === "admin" ? enrolling(who) : ""),
    ),
  );
  const shown = new Map();
  let next = "";

  async function load(cursor = "") {
    const page = await get("/v1/agents", { cursor, limit: 200 }).catch((problem) => ({
      agents: [],
      next: null,
      problem,
    }));
    for (const agent of page.agents) put(agent);
    if (cursor || !next) next = page.next || "";
    more.hidden = !next;
    none.hidden = shown.size > 0;
    if (page.problem) {
      none.hidden = false;
      tell(none, page.problem.message);
    }
    table.hidden = !shown.size;
    filter();
  }

  function put(agent) {
    let row = shown.get(agent.agent_id);
    if (!row) {
      row = made(who, load);
      shown.set(agent.agent_id, row);
      row.name = agent.name;
      const after = [...shown.values()].filter((one) => one !== row && one.name > agent.name);
      after.sort((a, b) => (a.name < b.name ? -1 : 1));
      body.insertBefore(row.element, after.length ? after[0].element : null);
    }
    row.show(agent);
  }

  function filter() {
    const wanted = find.value.trim().toLowerCase();
    for (const row of shown.values()) row.element.hidden = Boolean(wanted) && !row.words().includes(wanted);
  }

  const again = seldom(() => load(), 2000);
  find.addEventListener("input", filter);
  const tick = setInterval(() => shown.forEach((row) => row.tick()), 1000);
  const off = [on("call", again), on("whole", again)];
  load();
  return () => {
    off.forEach((one) => one());
    clearInterval(tick);
    again.stop();
  };
}

function made(who, reload) {
  const name = el("th", { scope: "row" });
  const state = el("span", { class: "tag" });
  const left = el("span", { class: "soft number" });
  const waiting = el("td", { class: "number" });
  const as = el("td");
  const acts = el("td", { class: "acts" });
  let agent = null;
  const call = el("a", { text: "Call" });
  const withdraw = button(
    "Withdraw",
    () =>
      reasoned(
        {
          title: "Withdraw the enrolment?",
          words: `The platform forgets it, and calls for ${agent.name} go out as the service.`,
          act: "Withdraw",
          asks: false,
        },
        () => ask("DELETE", `/v1/enrolments/${encodeURIComponent(agent.agent_id)}`),
      ).then((done) => done && reload()),
    { kind: "quiet danger" },
  );
  if (who.role !== "viewer") acts.append(call);
  if (who.role === "admin") acts.append(withdraw);
  const element = el("tr", {}, name, el("td", {}, state, " ", left), waiting, as, acts);
  function tick() {
    if (agent.state === "wrapping_up" && agent.free_at) tell(left, `${span(agent.free_at - clock())} left`);
    else
      tell(
        left,
        agent.state === "unreachable" && agent.unreached_at ? `phone did not answer ${moment(agent.unreached_at)}` : "",
      );
  }
  return {
    element,
    words: () => `${agent.name} ${agent.names.join(" ")}`.toLowerCase(),
    tick,
    show(found) {
      agent = found;
      tell(name, found.name);
      tell(state, agentWord(found.state));
      mark(state, "data-state", found.state);
      tell(waiting, found.waiting ? count(found.waiting) : "");
      tell(as, found.enrolled ? "themselves" : "the service");
      mark(call, "href", `#/dial?agent=${encodeURIComponent(found.name)}`);
      mark(call, "aria-label", `Dial a call for ${found.name}`);
      mark(withdraw, "aria-label", `Withdraw the enrolment of ${found.name}`);
      withdraw.hidden = !found.enrolled;
      tick();
    },
  };
}

function agentInput() {
  return el("input", {
    type: "text",
    name: "agent",
    maxlength: "256",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
  });
}

function checking() {
  const agent = agentInput();
  const to = el("input", { type: "tel", name: "to", maxlength: "64", required: true, autocomplete: "off" });
  const go = button("Check", null, { kind: "main", type: "submit" });
  const result = el("div", { "aria-live": "polite" });
  const form = el(
    "form",
    { "aria-label": "Check an agent" },
    el("p", {
      class: "soft",
      text: "Station, permissions, queue and quota, for a call that is not placed. Nothing rings.",
    }),
    field("Agent", agent),
    field("Number", to),
    el("div", { class: "acts" }, go),
    result,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    result.replaceChildren(el("p", { class: "soft", text: "Asking the platform …" }));
    try {
      const { findings } = await get("/v1/check", { agent: agent.value.trim(), to: to.value.trim() });
      result.replaceChildren(findingList(findings));
    } catch (problem) {
      result.replaceChildren(
        el("p", { class: "notice bad", text: problem.told }),
      );
    }
    go.disabled = false;
  });
  return folded("Check an agent", form);
}

function enrolling(who) {
  const agent = agentInput();
  const go = button("Make a link", null, { kind: "main", type: "submit" });
  const result = el("div", { "aria-live": "polite" });
  const form = el(
    "form",
    { "aria-label": "Enrol an agent" },
    el("p", {
      class: "soft",
      text: "The agent opens a link, logs in to the platform and consents. Calls for them then go out as themselves.",
    }),
    field("Agent", agent, { hint: "Who has to log in: e-mail or id." }),
    el("div", { class: "acts" }, go),
    result,
  );
  if (!who.enrols)
    result.append(
      el("p", {
        class: "notice warn",
        text: "There is no OAuth client by which agents could log in: docs/identity.md says how to set one.",
      }),
    );
  go.disabled = !who.enrols;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      const link = await post("/v1/enrolments", { agent: agent.value.trim() });
      const url = el("input", {
        type: "text",
        readonly: true,
        value: link.url,
        "aria-label": `Link for ${link.agent}`,
        on: { focus: (inner) => inner.target.select() },
      });
      const copy = button("Copy", () =>
        navigator.clipboard.writeText(link.url).then(
          () => tell(copy, "Copied"),
          () => url.select(),
        ),
      );
      result.replaceChildren(
        el("p", {
          text: `Send this to ${link.agent} alone. It works once, until ${moment(link.expires_at)}, and is not shown again.`,
        }),
        el("div", { class: "copy" }, url, copy),
      );
    } catch (problem) {
      result.replaceChildren(
        el("p", { class: "notice bad", text: problem.told }),
      );
    }
    go.disabled = false;
  });
  return folded("Enrol an agent", form);
}

// Open where there is room for it beside the list.
function folded(title, form) {
  const open = matchMedia("(min-width: 861px)").matches;
  return el("details", { class: "panel folded", open }, el("summary", {}, el("h2", { text: title })), form);
}
