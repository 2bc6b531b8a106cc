// Batches: a file is read and judged before anything of it is taken, and every batch with how far it is.

import { get, post } from "./api.js";
import { stacked } from "./charts.js";
import { button, el, field, seldom, tell } from "./dom.js";
import { foreseen } from "./foreseen.js";
import { filed, notFiled, sendingFile } from "./filing.js";
import { batchWord, count, many, moment } from "./words.js";
import { on } from "./world.js";

export const PARTS = [
  ["ended", "Ended"],
  ["live", "In call"],
  ["dialing", "Requested"],
  ["waiting", "Waiting"],
  ["refused", "Refused"],
  ["unknown", "Unknown"],
  ["cancelled", "Cancelled"],
  ["expired", "Expired"],
];

export function batches(place, { who }) {
  const list = el("div", { class: "cards" });
  const none = el("p", { class: "empty", hidden: true, text: "No batch was taken in yet." });
  const more = button("Show older ones", () => load(cursor));
  more.hidden = true;
  place.append(el("h1", { tabindex: "-1", text: "Batches" }), who.role === "viewer" ? "" : taking(), list, none, more);
  const shown = new Map();
  let cursor = "";

  async function load(after = "") {
    const page = await get("/v1/batches", { cursor: after, limit: 20 }).catch((problem) => ({
      batches: [],
      next: null,
      problem,
    }));
    if (page.problem) {
      none.hidden = false;
      none.textContent = page.problem.message;
      return;
    }
    // A draft is a file on its way, or one that somebody only looks at.
    for (const batch of page.batches) if (batch.state !== "draft") put(batch, after ? "append" : null);
    if (after || !cursor) cursor = page.next || "";
    more.hidden = !cursor;
    none.hidden = shown.size > 0;
  }

  function put(batch, where) {
    let one = shown.get(batch.id);
    if (!one) {
      one = summary(batch.id);
      shown.set(batch.id, one);
      const before = where ? null : [...list.children].find((other) => other.dataset.id < batch.id);
      list.insertBefore(one.element, before || null);
    }
    one.show(batch);
  }

  const reload = seldom(() => load(), 1500);
  const off = [
    on("batch", reload),
    on("whole", reload),
    on("call", (event) => {
      const id = event.body.batch_id;
      if (id && shown.has(id)) shown.get(id).again();
    }),
  ];
  load();
  return () => {
    off.forEach((one) => one());
    reload.stop();
    for (const one of shown.values()) one.again.stop();
  };
}

function summary(id) {
  const name = el("a", { href: `#/batches/${id}` });
  const state = el("span", { class: "tag" });
  const words = el("span", { class: "soft number" });
  const bar = stacked();
  const element = el(
    "article",
    { class: "panel batchline", "data-id": id },
    el("div", { class: "bar" }, el("h2", {}, name), state, el("span", { class: "grow" }), words),
    bar.element,
  );
  const again = seldom(async () => {
    const batch = await get(`/v1/batches/${id}`).catch(() => null);
    if (batch) show(batch, true);
  }, 1200);
  function show(batch, counted = false) {
    tell(name, batch.name || `Batch of ${moment(batch.created_at)}`);
    tell(state, batchWord(batch.state));
    state.dataset.state = batch.state;
    if (!counted && !batch.progress?.states) {
      tell(words, many(batch.rows, "row"));
      if (batch.state !== "invalid" && batch.state !== "draft") again();
      return;
    }
    const states = batch.progress.states;
    tell(
      words,
      `${count(batch.rows - batch.progress.open)} of ${many(batch.rows, "row")} over · ${moment(batch.created_at)}`,
    );
    bar.show(PARTS.map(([part, label]) => [part, label, states[part] || 0]));
  }
  return { element, show, again };
}

function taking() {
  const file = el("input", { type: "file", accept: ".csv,.ndjson,.jsonl,text/csv,application/x-ndjson" });
  const name = el("input", { type: "text", name: "name", maxlength: "256", autocomplete: "off" });
  const pool = el("textarea", { name: "agents", rows: "2", spellcheck: "false" });
  const pace = el("input", { type: "number", name: "pace", min: "0", max: "60000", step: "any", inputmode: "decimal" });
  const attempts = el("input", { type: "number", name: "attempts", min: "1", max: "10", step: "1", value: "1" });
  const skip = el("input", { type: "checkbox", name: "skip_bad", id: "skip-bad" });
  const label = el(
    "label",
    { class: "drop", for: "batch-file" },
    el("strong", { text: "Drop a file of calls here, or choose one" }),
    el("span", {
      class: "soft",
      text: "CSV with a header (key, agent, to …), or one JSON object a line. Nothing is taken before you say so.",
    }),
  );
  file.id = "batch-file";
  const result = el("div", { "aria-live": "polite" });
  const drop = el("div", { class: "dropzone" }, file, label);
  const settings = el(
    "details",
    { class: "settings" },
    el("summary", { text: "Settings for the whole file" }),
    el(
      "div",
      { class: "grid" },
      field("Name", name),
      field("Calls a minute", pace, { hint: "Empty: as fast as agents and quota permit." }),
      field("Attempts", attempts, { hint: "Tried again after busy and no answer." }),
      field("Pool of agents", pool, {
        hint: "For rows without an agent: one a line. Whoever is free first takes the next.",
        wide: true,
      }),
      el(
        "p",
        { class: "tick wide" },
        skip,
        el("label", { for: "skip-bad", text: "Take the good rows of a file that has bad ones" }),
      ),
    ),
  );
  const element = el("section", { class: "panel taking", "aria-label": "Take in a file" }, drop, settings, result);
  let chosen = null;
  let print = null;
  let turn = 0;
  let upload = null;

  const query = () => ({
    name: name.value.trim() || chosen.name,
    agent: pool.value
      .split(/[\n,;]/)
      .map((one) => one.trim())
      .filter(Boolean),
    pace: pace.value || "",
    attempts: attempts.value || 1,
    skip_bad: skip.checked,
  });
  const send = (more, { headers = {}, ...options } = {}) => {
    const kind = /\.(ndjson|jsonl|json)$/i.test(chosen.name) ? "application/x-ndjson" : "text/csv";
    return post("/v1/batches", undefined, {
      query: { ...query(), ...more },
      headers: { "Content-Type": kind, ...headers },
      file: chosen,
      ...options,
    });
  };

  async function judge() {
    if (!chosen) return;
    const mine = ++turn;
    upload?.abort();
    upload = new AbortController();
    tell(label.firstChild, chosen.name);
    result.replaceChildren(el("p", { class: "soft", text: "Reading every row …" }));
    try {
      const { batch, preview } = await send({ dry_run: true }, { signal: upload.signal });
      if (mine !== turn) return;
      const take = button(`Take in ${many(batch.rows, "row")}`, () => taken(take), { kind: "main" });
      const faulty = batch.report.faulty || 0;
      result.replaceChildren(
        el("h2", {
          text: faulty
            ? `${many(batch.rows, "good row")}, ${many(faulty, "bad one")} left out`
            : `${many(batch.rows, "row")}, none of them wrong`,
        }),
        faulty ? faultTable(batch.report) : "",
        foreseen(preview),
        el("div", { class: "acts" }, take, button("Choose another file", reset)),
        el("p", { class: "soft", text: "Taking it in rings nobody: the batch is started by a button of its own." }),
      );
      take.focus();
    } catch (problem) {
      if (mine !== turn) return;
      result.replaceChildren(...faults(problem), el("div", { class: "acts" }, button("Choose another file", reset)));
    }
  }

  async function taken(take) {
    take.disabled = true;
    for (const notice of result.querySelectorAll(":scope > .notice")) notice.remove();
    const mine = print;
    let key = "";
    try {
      key = await sendingFile(mine, chosen, query());
      const { batch } = await send(
        {},
        { headers: { "Idempotency-Key": key }, lost: "Press again: it is the same batch." },
      );
      filed(mine);
      location.hash = `#/batches/${batch.id}`;
    } catch (problem) {
      const there = key && notFiled(mine, problem);
      result.append(...faults(problem));
      if (there) result.append(el("p", {}, el("a", { href: `#/batches/${there}`, text: "See what was taken in of it" })));
      take.disabled = false;
    }
  }

  function reset() {
    turn += 1;
    upload?.abort();
    chosen = null;
    file.value = "";
    tell(label.firstChild, "Drop a file of calls here, or choose one");
    result.replaceChildren();
    file.focus();
  }

  function choose([first]) {
    chosen = first;
    print = { hash: "" };
    judge();
  }

  const again = seldom(judge, 500);
  file.addEventListener("change", () => {
    choose(file.files);
  });
  settings.addEventListener("input", () => chosen && again());
  for (const kind of ["dragover", "dragenter"])
    drop.addEventListener(kind, (event) => (event.preventDefault(), drop.classList.add("over")));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    choose(event.dataTransfer.files);
  });
  return element;
}

function faults(problem) {
  const report = problem.body?.report;
  if (!report)
    return [
      el("p", { class: "notice bad", role: "alert", text: problem.told }),
    ];
  return [
    el("p", {
      class: "notice bad",
      role: "alert",
      text: `${
        report.faulty === 1 && report.faults[0]?.row === 0
          ? "The file can't be read"
          : `${many(report.faulty, "row")} of the file ${report.faulty === 1 ? "is" : "are"} wrong`
      }. Nothing was taken.`,
    }),
    faultTable(report),
  ];
}

export function faultTable(report) {
  const rows = report.faults.map((fault) =>
    el(
      "tr",
      {},
      el("td", { class: "number", text: fault.row ? count(fault.row) : "file" }),
      el("td", { text: fault.column || "" }),
      el("td", {}, el("strong", { text: fault.why ? `${fault.what}: ` : fault.what }), fault.why || ""),
      el("td", { class: "soft", text: fault.fix || "" }),
    ),
  );
  const left = report.faulty - report.faults.length;
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Wrong rows" },
    el(
      "table",
      { class: "list faults" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["Row", "Column", "What is wrong", "What to do"].map((name) => el("th", { scope: "col", text: name })),
        ),
      ),
      el("tbody", {}, rows),
    ),
    left > 0 ? el("p", { class: "soft", text: `And ${many(left, "more wrong row")}.` }) : null,
  );
}
