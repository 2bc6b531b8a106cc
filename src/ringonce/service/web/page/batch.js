// One batch: how far it is, what became of its rows, and what can be done to it.

import { get, post } from "./api.js";
import { PARTS, faultTable } from "./batches.js";
import { stacked, tally } from "./charts.js";
import { announce, button, el, mark, seldom, tell } from "./dom.js";
import { foreseen } from "./foreseen.js";
import { row } from "./history.js";
import { reasoned } from "./reasoning.js";
import { OUTCOME, batchWord, count, many, moment, outcomeWord } from "./words.js";
import { namesFor, on } from "./world.js";

const ACTS = {
  ready: [
    ["start", "Start", "main"],
    ["cancel", "Cancel the batch", "danger"],
  ],
  running: [
    ["pause", "Pause", "main"],
    ["drain", "Let it come to rest", ""],
    ["cancel", "Cancel what has not rung", "danger"],
  ],
  paused: [
    ["resume", "Resume", "main"],
    ["cancel", "Cancel what has not rung", "danger"],
  ],
  draining: [
    ["resume", "Resume", "main"],
    ["pause", "Pause", ""],
  ],
};
const GOOD = ["answered", "voicemail"];

export function batch(place, { id, who }) {
  const title = el("h1", { tabindex: "-1", text: "Batch" });
  const state = el("span", { class: "tag" });
  const facts = el("p", { class: "soft" });
  const acts = el("div", { class: "acts" });
  const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
  const bar = stacked();
  const legend = el("ul", { class: "legend" });
  const done = el("p", { class: "figure-words" });
  const outcomes = el("div");
  const ahead = el("div");
  const report = el("div");
  const rows = el("tbody");
  const calls = el(
    "section",
    { class: "panel" },
    el(
      "div",
      { class: "bar" },
      el("h2", { text: "Latest rows" }),
      el("span", { class: "grow" }),
      el("a", { href: `#/history?batch=${id}`, text: "All rows" }),
    ),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Latest rows" },
      el(
        "table",
        { class: "list" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ["Taken in", "Agent", "Number", "Became", "Why"].map((name) => el("th", { scope: "col", text: name })),
          ),
        ),
        rows,
      ),
    ),
  );
  const file = el("a", {
    class: "button",
    href: `/v1/batches/${id}/results.csv`,
    download: `${id}.csv`,
    text: "Results as a file",
  });
  place.append(
    el("p", {}, el("a", { href: "#/batches", text: "Batches" })),
    el("div", { class: "bar" }, title, state),
    facts,
    acts,
    wrong,
    el("section", { class: "panel" }, el("h2", { text: "Progress" }), done, bar.element, legend),
    el(
      "div",
      { class: "pair" },
      el("section", { class: "panel" }, el("h2", { text: "Outcomes" }), outcomes),
      el("section", { class: "panel" }, el("h2", { text: "Still to come" }), ahead),
    ),
    report,
    calls,
  );
  let busy = false;
  let before = "";
  let asked = "";

  const look = seldom(async () => {
    try {
      show(await get(`/v1/batches/${id}`));
    } catch (problem) {
      if (problem.status === 404)
        place.replaceChildren(
          el("h1", { tabindex: "-1", text: "No such batch" }),
          el("p", { text: problem.message }),
          el("a", { href: "#/batches", text: "All batches" }),
        );
      else fail(problem);
    }
  }, 700);

  function show(found) {
    tell(title, found.name || `Batch of ${moment(found.created_at)}`);
    document.title = `${title.textContent} · ringonce`;
    tell(state, batchWord(found.state));
    mark(state, "data-state", found.state);
    if (before && before !== found.state) announce(`The batch is now: ${batchWord(found.state)}.`);
    before = found.state;
    const set = found.settings;
    tell(
      facts,
      [
        `${many(found.rows, "row")}, taken in ${moment(found.created_at)}`,
        set.agents.length && `a pool of ${many(set.agents.length, "agent")}`,
        set.pace && `at most ${count(set.pace)} calls a minute`,
        set.retry.attempts > 1 && `up to ${set.retry.attempts} attempts`,
      ]
        .filter(Boolean)
        .join(" · "),
    );
    const { states, outcomes: became, open } = found.progress;
    tell(
      done,
      `${count(found.rows - open)} of ${count(found.rows)} over${found.rows ? ` (${Math.floor(((found.rows - open) / found.rows) * 100)} %)` : ""}`,
    );
    const parts = PARTS.map(([part, label]) => [part, label, states[part] || 0]);
    bar.show(parts);
    legend.replaceChildren(
      ...parts
        .filter(([, , number]) => number)
        .map(([part, label, number]) =>
          el(
            "li",
            {},
            el("i", { class: `part ${part}` }),
            `${label} `,
            el("span", { class: "number", text: count(number) }),
          ),
        ),
    );
    const known = Object.keys(OUTCOME)
      .filter((outcome) => became[outcome])
      .sort((a, b) => became[b] - became[a]);
    outcomes.replaceChildren(
      known.length
        ? tally(
            known.map((outcome) => [GOOD.includes(outcome) ? "good" : "plain", outcomeWord(outcome), became[outcome]]),
          )
        : el("p", { class: "soft", text: "No row has come to its end yet." }),
    );
    report.replaceChildren(
      ...(found.report.faulty
        ? [
            el(
              "section",
              { class: "panel" },
              el("h2", { text: `${many(found.report.faulty, "row")} of the file left out` }),
              faultTable(found.report),
            ),
          ]
        : []),
    );
    offer(found);
    foresee(found, states.waiting || 0);
  }

  // What is to come is asked for again only when that many rows are left or the batch is steered: it looks at each.
  async function foresee(found, waiting) {
    const now = `${found.state} ${waiting < 500 ? waiting : Math.round(waiting / 500)}`;
    if (asked === now) return;
    asked = now;
    if (!waiting || !["ready", "running", "paused", "draining"].includes(found.state)) {
      ahead.replaceChildren(el("p", { class: "soft", text: waiting ? "" : "No row waits." }));
      return;
    }
    const preview = await get(`/v1/batches/${id}/preview`).catch(() => null);
    if (preview) ahead.replaceChildren(foreseen(preview, ""));
  }

  function offer(found) {
    const offered = who.role === "viewer" ? [] : ACTS[found.state] || [];
    if (acts.dataset.state !== found.state) {
      const focused = acts.contains(document.activeElement);
      acts.dataset.state = found.state;
      acts.replaceChildren(
        ...offered.map(([name, text, kind]) => button(text, () => act(name, found), { kind })),
        file,
      );
      if (focused) acts.firstElementChild.focus();
    }
    for (const one of acts.querySelectorAll("button")) one.disabled = busy;
  }

  async function act(name, found) {
    if (busy) return;
    const perform = async () => {
      busy = true;
      wrong.hidden = true;
      offer(found);
      try {
        show(await post(`/v1/batches/${id}/${name}`));
      } finally {
        busy = false;
        for (const one of acts.querySelectorAll("button")) one.disabled = false;
      }
    };
    if (name === "cancel") {
      await reasoned(
        {
          title: "Cancel the batch?",
          words: "Rows that have not rung are cancelled for good. Live calls go on.",
          act: "Cancel the rows",
          asks: false,
        },
        perform,
      );
    } else await perform().catch(fail);
  }

  async function latest() {
    const page = await get("/v1/calls", {
      batch: id,
      limit: 12,
      state: ["live", "dialing", "ended", "refused", "unknown"],
    }).catch(() => null);
    if (page) await namesFor(page.calls);
    if (page) rows.replaceChildren(...page.calls.map(row));
    calls.hidden = !rows.childElementCount;
  }

  function fail(problem) {
    wrong.hidden = false;
    wrong.textContent = problem.told;
  }

  const list = seldom(latest, 2000);
  const again = () => {
    look();
    list();
  };
  calls.hidden = true;
  const off = [
    on("batch", (event) => event.subject === id && again()),
    on("whole", again),
    on("call", (event) => event.body.batch_id === id && again()),
  ];
  again();
  return () => {
    off.forEach((one) => one());
    look.stop();
    list.stop();
  };
}
