// Now: every call in flight as a line whose state moves, the agents, and how hard the platform is worked.

import { get, post } from "./api.js";
import { bars, line } from "./charts.js";
import { button, el, mark, seldom, tell } from "./dom.js";
import { rows } from "./rows.js";
import { sampleCalls } from "./sample.js";
import { PHASES, because, count, many, phaseWord, spaced, span } from "./words.js";
import { batchName, clock, nameOf, on, world } from "./world.js";

const REACH = 280;
const AFTER = 8;

export function now(place, { who }) {
  const figures = summary();
  const quota = line("Requests to the platform in this minute");
  const dials = bars("Calls dialled by minute");
  const quotaWords = el("p", { class: "figure-words" });
  const dialWords = el("p", { class: "figure-words" });
  const find = el("input", {
    type: "search",
    placeholder: "Agent, number or batch",
    "aria-label": "Show only calls with this agent, number or batch",
  });
  const shown = el("span", { class: "soft number", text: "" });
  const empty = el("div", { class: "empty", hidden: true });
  const list = rows({
    label: "Calls in flight",
    columns: ["Agent", "State", "In state", "Number", "Since placed", "Batch, why"],
    make: (call) => made(call, who),
    draw,
    key: (call) => call.id,
  });
  place.append(
    el("h1", { tabindex: "-1", text: "Now" }),
    figures.element,
    el(
      "div",
      { class: "pair" },
      el("section", { class: "panel chartbox" }, el("h2", { text: "Platform quota" }), quotaWords, quota.element),
      el("section", { class: "panel chartbox" }, el("h2", { text: "Dial rate" }), dialWords, dials.element),
    ),
    el("div", { class: "bar" }, el("h2", { text: "In flight" }), shown, el("span", { class: "grow" }), find),
    list.element,
    empty,
  );

  const over = new Map();
  let order = [];

  function arrange() {
    const wanted = find.value.trim().toLowerCase();
    const all = [...world.calls.values(), ...over.values()];
    for (const one of wrapping(all)) all.push(one);
    order = wanted
      ? all.filter((call) => matches(call, wanted))
      : all;
    order.sort((a, b) => (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : (a.placed_at || 0) - (b.placed_at || 0)));
    list.show(order);
    const more = world.now ? world.now.more_calls : 0;
    const said = wanted ? [`${count(order.length)} of ${count(all.length)}`] : [count(world.calls.size)];
    if (!wanted && over.size) said.push(`${count(over.size)} just over`);
    if (more) said.push(`${count(more)} more left out`);
    tell(shown, said.join(", "));
    showEmpty(all.length, wanted);
  }

  function showEmpty(all, wanted) {
    const is = !order.length && world.now !== null;
    empty.hidden = !is;
    list.element.hidden = is;
    if (!is) return;
    const kind = wanted && all ? "filtered" : fresh() ? "fresh" : "quiet";
    if (empty.dataset.kind === kind) return;
    empty.dataset.kind = kind;
    if (kind === "filtered") empty.replaceChildren(el("p", { text: "No call in flight is like that." }));
    if (kind === "quiet")
      empty.replaceChildren(
        el("p", { text: "No call is in flight." }),
        who.role === "viewer"
          ? ""
          : el(
              "p",
              {},
              el("a", { href: "#/dial", text: "Dial one" }),
              " or ",
              el("a", { href: "#/batches", text: "start a batch" }),
              ".",
            ),
      );
    if (kind === "fresh") empty.replaceChildren(...welcome(who));
  }

  const fresh = () => Object.values(world.now.states).every((number) => number === 0);
  const rearrange = seldom(arrange, 250);
  find.addEventListener("input", rearrange);

  function ended(event) {
    const call = event.body;
    if (["dialing", "live"].includes(call.state)) {
      over.delete(call.id);
    } else if (call.state === "ended" || call.state === "refused" || call.state === "unknown") {
      over.set(call.id, { ...call, agent: nameOf(call), phase: "ended", since: event.at, until: clock() + AFTER });
    }
    rearrange();
  }

  function looked(now) {
    figures.show(now);
    const spent = now.quota[0];
    quota.show(
      world.seen.map(({ at, used }) => ({ at, value: used })),
      spent?.limit,
      REACH,
      "",
    );
    tell(
      quotaWords,
      spent
        ? `${spent.left === null ? "" : `${count(spent.left)} of ${count(spent.limit)} requests left this minute`}` ||
            `${count(spent.used)} requests this minute`
        : "No request was sent yet",
    );
    const values = now.dials.map((minute) => minute.dials);
    const last = values[values.length - 1] || 0;
    const before = values[values.length - 2] || 0;
    // A limit far above would press the bars flat; the words tell it either way.
    const near = spent?.limit && Math.max(...values) > spent.limit / 5 ? spent.limit : 0;
    dials.show(values, near, `${last} in this minute, ${before} in the one before`);
    tell(
      dialWords,
      `${many(last, "call")} this minute, ${count(before)} before${spent?.limit ? `; limit ${count(spent.limit)}` : ""}`,
    );
    rearrange();
  }

  const tick = setInterval(() => {
    const at = clock();
    let gone = false;
    for (const [id, call] of over) if (call.until < at) gone = over.delete(id);
    if (gone) rearrange();
    else list.again();
  }, 1000);
  const off = [on("calls", rearrange), on("call", ended), on("now", looked), on("whole", rearrange)];
  if (world.now) looked(world.now);
  return () => {
    off.forEach((one) => one());
    clearInterval(tick);
    rearrange.stop();
    list.close();
  };
}

// As the page writes numbers and batches, and as people type them.
function matches(call, wanted) {
  const said = `${call.agent} ${call.to} ${spaced(masked(call.to))} ${batchName(call.batch_id)} ${call.batch_id || ""}`;
  const digits = wanted.replace(/[\s().-]/g, "");
  return said.toLowerCase().includes(wanted) || (/^\+?\d{2,}$/.test(digits) && call.to.includes(digits));
}

// Agents in after-call work whose call is not in the list any more.
function wrapping(all) {
  const busy = new Set(all.map((call) => call.agent_id));
  return (world.now?.wrapping_up || [])
    .filter((one) => !busy.has(one.agent_id) && one.free_at > clock())
    .map((one) => ({
      id: `wrap-${one.agent_id}`,
      agent_id: one.agent_id,
      agent: one.agent,
      to: "",
      phase: "wrapping",
      until: one.free_at,
      placed_at: null,
    }));
}

function summary() {
  const figure = (label) => {
    const number = el("dd", { class: "number", text: "–" });
    return { number, element: el("div", {}, el("dt", { text: label }), number) };
  };
  const all = {
    flight: figure("in flight"),
    waiting: figure("waiting"),
    free: figure("agents free"),
    busy: figure("busy"),
    wrapping_up: figure("wrapping up"),
    unreachable: figure("unreachable"),
  };
  return {
    element: el(
      "dl",
      { class: "figures", "aria-label": "Totals" },
      Object.values(all).map((one) => one.element),
    ),
    show(now) {
      tell(all.flight.number, count((now.states.dialing || 0) + (now.states.live || 0)));
      tell(all.waiting.number, count(now.states.waiting || 0));
      for (const state of ["free", "busy", "wrapping_up", "unreachable"])
        tell(all[state].number, count(now.agents[state]));
      mark(all.unreachable.element, "data-warn", now.agents.unreachable > 0);
    },
  };
}

function made(call, who) {
  const agent = call.to ? el("a", { href: `#/history/${call.id}` }) : el("span");
  const track = el(
    "span",
    { class: "steps", "aria-hidden": "true" },
    PHASES.map(() => el("i")),
  );
  const state = el("span", { class: "word" });
  const number = el("span", { role: "cell", class: "c-number number" });
  if (who.role === "admin" && call.to) {
    number.append(button("", async (event) => revealed(event.currentTarget, call.id), { kind: "reveal" }));
  }
  const row = el(
    "div",
    { class: "row", role: "row" },
    el("span", { role: "cell", class: "c-agent" }, agent),
    el("span", { role: "cell", class: "c-state" }, track, state),
    el("span", { role: "cell", class: "c-for number" }),
    number,
    el("span", { role: "cell", class: "c-since number" }),
    el("span", { role: "cell", class: "c-why" }),
  );
  row.parts = { agent, track, state, number };
  return row;
}

async function revealed(pressed, id) {
  try {
    pressed.whole = spaced((await get(`/v1/calls/${id}`)).to);
  } catch (problem) {
    pressed.title = problem.message;
  }
}

function draw(row, call) {
  const at = clock();
  const { agent, track, state, number } = row.parts;
  tell(agent, call.agent || call.agent_id);
  const phase = call.phase;
  const reached = phase === "held" || phase === "wrapping" ? PHASES.length : PHASES.indexOf(phase) + 1;
  mark(row, "data-phase", phase);
  mark(track, "data-reached", reached);
  const ended = phase === "ended" ? (call.state === "ended" ? call.outcome : call.state) : "";
  tell(state, ended ? endWord(ended) : phaseWord(phase) + (call.muted ? ", muted" : ""));
  const [, , spent, , since, why] = row.children;
  tell(spent, phase === "wrapping" ? `${span(call.until - at)} left` : span(at - call.since));
  const whole = number.firstElementChild;
  if (whole) {
    tell(whole, whole.whole || spaced(masked(call.to)));
    mark(whole, "aria-label", whole.whole ? null : `Show the whole number ${spaced(masked(call.to))}`);
  } else tell(number, spaced(masked(call.to)));
  tell(since, call.placed_at ? span(at - call.placed_at) : "");
  tell(
    why,
    [call.attempt > 1 && `attempt ${call.attempt}`, batchName(call.batch_id), because(call)]
      .filter(Boolean)
      .join(" · "),
  );
}

const endWord = (word) => ({ refused: "Refused", unknown: "Unknown" })[word] || outcome(word);
const outcome = (word) => word.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
// An admin's snapshot has whole numbers; the list shows them only when asked to.
const masked = (number) =>
  number.length > 6 && !number.includes("•")
    ? `${number.slice(0, 2)}${"•".repeat(number.length - 6)}${number.slice(-4)}`
    : number;

function welcome(who) {
  const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
  const start = button(
    "Place 40 sample calls",
    async () => {
      start.disabled = true;
      try {
        await sampleCalls(post);
      } catch (problem) {
        wrong.hidden = false;
        wrong.textContent = problem.told;
        start.disabled = false;
      }
    },
    { kind: "main" },
  );
  const may = who.sandbox && who.role !== "viewer" && !who.agents.length;
  return [
    el("h2", { text: "Nothing has been dialled yet" }),
    el("p", {
      text: who.sandbox
        ? "The sandbox has twenty sample agents whose phones answer by themselves. The callees answer, are busy, decline, or let it ring."
        : "Calls show up here as soon as they are taken in, by this page or by a program.",
    }),
    may ? start : null,
    who.role === "viewer"
      ? null
      : el(
          "p",
          {},
          el("a", { href: "#/dial", text: "Dial one call" }),
          ", ",
          el("a", { href: "#/batches", text: "take in a file of calls" }),
          ", or ",
          el("a", { href: "/docs", text: "read the API" }),
          ".",
        ),
    wrong,
  ].filter(Boolean);
}
