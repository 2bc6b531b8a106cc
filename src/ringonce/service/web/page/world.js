// What the page knows of the service: a snapshot, kept up to date by one stream of events.

import { get, whenSignedOut } from "./api.js";
import { announce, seldom } from "./dom.js";

const LIGHTLY_EVERY = 4000;
const AGAIN_FIRST = 1000;
const AGAIN_AT_MOST = 8000;
const HISTORY = 75;
const FLYING = new Set(["dialing", "live"]);

const changes = new EventTarget();
export const world = {
  now: null,
  calls: new Map(),
  names: new Map(),
  seen: [],
  link: "connecting",
  lastEvent: 0,
};
let ahead = 0;
let stream = null;
let timer = null;
let poll = null;
let wait = AGAIN_FIRST;
const titles = new Map();
let running = false;
let left = 0;

export const clock = () => Date.now() / 1000 + ahead;

// Kinds: "calls", "now", "link", "call" (detail: an event of one call), "batch", "stop".
export function on(kind, listener) {
  const heard = (event) => listener(event.detail);
  changes.addEventListener(kind, heard);
  return () => changes.removeEventListener(kind, heard);
}

const say = (kind, detail) => changes.dispatchEvent(new CustomEvent(kind, { detail }));

export async function begin() {
  if (running) return;
  running = true;
  await resync();
}

export function end() {
  running = false;
  disconnect();
  world.now = null;
  world.calls.clear();
  world.seen = [];
  world.link = "connecting";
}

// Looks once more right away: after something was done whose effect no event tells.
export const refresh = () => lightly();

async function resync() {
  clearTimeout(timer);
  if (!running) return;
  try {
    took(await get("/v1/now"), true);
  } catch (problem) {
    if (problem.status !== 401) lost();
    return;
  }
  if (running && !document.hidden) connect();
}

function connect() {
  disconnect();
  stream = new EventSource(`/v1/events?after=${world.lastEvent}`);
  stream.addEventListener("open", () => {
    wait = AGAIN_FIRST;
    linked("live");
  });
  stream.addEventListener("error", lost);
  for (const kind of ["call.accepted", "call.changed"]) stream.addEventListener(kind, heardOfCall);
  stream.addEventListener("batch.changed", (message) => say("batch", noted(message)));
  stream.addEventListener("stop", (message) => {
    noted(message);
    lightly();
  });
  poll = setInterval(lightly, LIGHTLY_EVERY);
}

function disconnect() {
  clearInterval(poll);
  clearTimeout(timer);
  if (stream) stream.close();
  stream = null;
}

// A browser would try the stream again by itself, but not after every kind of end; and what was missed is in the
// snapshot, so one way back serves all.
function lost() {
  disconnect();
  if (!running) return;
  linked("lost");
  timer = setTimeout(resync, wait);
  wait = Math.min(wait * 1.6, AGAIN_AT_MOST);
}

function linked(link) {
  if (world.link === link) return;
  const before = world.link;
  world.link = link;
  if (link === "lost") announce("Connection lost, retrying.");
  if (link === "live" && before === "lost") announce("Connected again.");
  say("link", link);
}

async function lightly() {
  try {
    took(await get("/v1/now", { most: 0 }), false);
  } catch (problem) {
    if (problem.status !== 401 && problem.status !== 429) lost();
  }
}

function took(snapshot, whole) {
  if (!running) return;
  ahead = snapshot.at - Date.now() / 1000;
  if (whole) left = snapshot.more_calls;
  snapshot.more_calls = left;
  world.now = snapshot;
  const spent = snapshot.quota[0];
  world.seen.push({ at: snapshot.at, used: spent ? spent.used : 0, limit: spent ? spent.limit : null });
  if (world.seen.length > HISTORY) world.seen.shift();
  if (whole) {
    world.lastEvent = snapshot.last_event_id;
    world.calls.clear();
    for (const call of snapshot.calls) {
      world.calls.set(call.id, call);
      world.names.set(call.agent_id, call.agent);
    }
    say("calls");
    say("whole");
  }
  say("now", snapshot);
}

function noted(message) {
  const event = JSON.parse(message.data);
  world.lastEvent = event.seq;
  return event;
}

function heardOfCall(message) {
  const event = noted(message);
  const call = event.body;
  const before = world.calls.get(call.id);
  if (FLYING.has(call.state)) {
    world.calls.set(call.id, flight(call, event.at, before));
    say("calls");
  } else if (before) {
    world.calls.delete(call.id);
    say("calls");
  }
  say("call", event);
}

function flight(call, at, before) {
  const phase = call.state === "dialing" ? "requested" : call.held ? "held" : call.progress || "requested";
  return {
    id: call.id,
    agent_id: call.agent_id,
    agent: nameOf(call),
    to: before && !before.to.includes("•") ? before.to : call.to,
    state: call.state,
    phase,
    since: before && before.phase === phase ? before.since : at,
    muted: call.muted,
    attempt: call.attempt,
    why: call.why,
    batch_id: call.batch_id,
    placed_at: call.placed_at,
    changed_at: at,
  };
}

// What to call the agent of a call: rows of a pool know only an id.
export function nameOf(call) {
  const known = world.names.get(call.agent_id);
  if (known) return known;
  if (call.agent && call.agent !== call.agent_id) {
    if (call.agent_id) world.names.set(call.agent_id, call.agent);
    return call.agent;
  }
  if (call.agent_id) learnNames();
  return call.agent || "whoever is free";
}

const learnNames = seldom(async () => {
  const page = await get("/v1/agents", { limit: 1000 }).catch(() => ({ agents: [] }));
  for (const one of page.agents) world.names.set(one.agent_id, one.name);
  for (const call of world.calls.values()) call.agent = world.names.get(call.agent_id) || call.agent;
  say("calls");
}, 5000);

// Learns the names that a list of calls needs before it is shown.
export async function namesFor(calls) {
  if (calls.every((call) => !call.agent_id || call.agent !== call.agent_id || world.names.has(call.agent_id))) return;
  const page = await get("/v1/agents", { limit: 1000 }).catch(() => ({ agents: [] }));
  for (const one of page.agents) world.names.set(one.agent_id, one.name);
}

export function batchName(id) {
  if (!id) return "";
  if (!titles.has(id)) {
    titles.set(id, "batch");
    learnTitles();
  }
  return titles.get(id);
}

const learnTitles = seldom(async () => {
  const page = await get("/v1/batches", { limit: 100 }).catch(() => ({ batches: [] }));
  for (const one of page.batches) titles.set(one.id, one.name || "batch");
}, 5000);

// Browsers keep six connections to a server; a page that nobody looks at gives its own back.
document.addEventListener("visibilitychange", () => {
  if (!running) return;
  if (document.hidden) disconnect();
  else resync();
});
addEventListener("pagehide", () => disconnect());
addEventListener("pageshow", (event) => {
  if (event.persisted && running) resync();
});
whenSignedOut(end);
