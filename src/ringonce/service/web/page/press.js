// One decision to call is one key, whatever is pressed how often and in which tab.
//
// A key follows from what is pressed for, so tabs that press in the same moment send the same one; it is noted when it is
// sent, and stays until its call is known to be over. The next key of the same form follows from that call. Tabs share
// the notes in localStorage, under a hash of the form: no number stands there in clear. The form is its tab's own.

import { kept as read, keep } from "./keeping.js";
import { sha256 } from "./sha256.js";

const FORM = "ringonce.form";
const KEYS = "ringonce.keys";
const MOST = 200;
const KEPT = 24 * 3600 * 1000;

export const keptForm = () => read("session", FORM) || {};
export const keepForm = (form) => keep("session", FORM, form);

// Gives what was sent for this form: { key, call, over, agent, queue }, or null. `call` is the id of the call that was
// taken in under the key, empty while no answer has said so.
export function decision(body, agentId = "") {
  const all = every();
  const found = names(all, body, agentId)
    .map((name) => all.sent[name])
    .filter(Boolean);
  return found.find((one) => !one.over) || found[0] || null;
}

// Notes that the form is about to be sent, and gives under which key. `after` is the id of the call that is over and
// after which this is another decision.
export function sending(body, agentId = "", after = "") {
  const all = every();
  const mine = names(all, body, agentId);
  let one = decision(body, agentId);
  const fresh = !one || (after !== "" && one.call === after);
  if (fresh) {
    const key = one ? `page-after-${after}` : `page-${sha256(`${all.salt} ${all.turn} ${mine[0]}`).slice(0, 32)}`;
    one = { key, call: "", over: false, at: Date.now(), agent: body.agent, queue: body.queue || "" };
  }
  for (const name of mine) all.sent[name] = one;
  write(all);
  return { ...one, fresh };
}

export function taken(body, key, call) {
  const all = every();
  for (const name of names(all, body, call.agent_id))
    all.sent[name] ||= Object.values(all.sent).find((one) => one.key === key);
  for (const one of Object.values(all.sent)) if (one?.key === key) one.call = call.id;
  write(all);
}

// Once the service knows who the agent is, what was sent is found under every spelling.
export function known(body, agentId) {
  const all = every();
  const mine = names(all, body, agentId);
  const there = mine.map((name) => all.sent[name]).find((one) => one && !one.over);
  if (!there || mine.every((name) => all.sent[name])) return;
  for (const name of mine) all.sent[name] ||= there;
  write(all);
}

// Forgets a key that the server has refused at its first sending: nothing was taken in under it.
export function refused(key) {
  const all = every();
  for (const [name, one] of Object.entries(all.sent)) if (one.key === key && !one.call) delete all.sent[name];
  write(all);
}

export function over(call, is = true) {
  const all = every();
  const mine = Object.values(all.sent).filter((one) => one.call === call && one.over !== is);
  if (!mine.length) return;
  for (const one of mine) one.over = is;
  write(all);
}

export function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Only calls that are over are forgotten, and only as a page begins: the turn then makes first keys other ones.
function tidy() {
  const all = every();
  const done = Object.entries(all.sent)
    .filter(([, one]) => one.over)
    .sort(([, a], [, b]) => b.at - a.at)
    .filter(([, one], index) => index >= MOST || Date.now() - one.at > KEPT);
  for (const [name] of done) delete all.sent[name];
  if (done.length) all.turn += 1;
  write(all);
}

// By what the form is told from another: case and white space are no difference, nor is the agent's spelling once
// the service knows who it is.
function names(all, body, agentId) {
  const plain = (text) => text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
  const whole = { ...body, agent: plain(body.agent), ...(body.queue ? { queue: plain(body.queue) } : {}) };
  const found = [whole, ...(agentId ? [{ ...whole, agent: agentId }] : [])];
  return [...new Set(found.map((one) => sha256(all.salt + JSON.stringify(one)).slice(0, 32)))];
}

function every() {
  const all = read("local", KEYS);
  return all?.salt ? all : { salt: random(), turn: 0, sent: {} };
}

function write(all) {
  keep("local", KEYS, all);
}

tidy();
