// What the service says, in words for people; and times, spans and counts.

export const PHASES = ["requested", "dialing", "ringing", "connected"];
const PHASE = {
  requested: "Requested",
  dialing: "Dialling",
  ringing: "Ringing",
  connected: "Connected",
  held: "On hold",
  wrapping: "Wrapping up",
  ended: "Ended",
};
const STATE = {
  draft: "Draft",
  waiting: "Waiting",
  dialing: "Requested",
  live: "In call",
  ended: "Ended",
  refused: "Refused",
  unknown: "Unknown",
  cancelled: "Cancelled",
  expired: "Expired",
};
export const OUTCOME = {
  answered: "Answered",
  no_answer: "No answer",
  busy: "Busy",
  declined: "Declined",
  voicemail: "Voicemail",
  unroutable: "No such number",
  agent_unreachable: "Agent not reached",
  abandoned: "Given up before an answer",
  failed: "Failed",
  unknown: "Not known",
};
const BATCH = {
  draft: "Being read",
  invalid: "Not taken",
  ready: "Ready",
  running: "Running",
  paused: "Paused",
  draining: "Coming to rest",
  done: "Done",
  cancelled: "Cancelled",
};
const AGENT = { free: "Free", busy: "Busy", wrapping_up: "Wrapping up", unreachable: "Not reachable" };
const WAITS = {
  batch: "its batch is not running",
  guard: "the calling rules allow it later",
  retry: "another attempt is due",
  platform: "the platform could not be asked",
  credentials: "the platform refused our credentials",
  stop: "all dialling is stopped",
  worker: "the worker ended",
  agent: "its agent",
};

export const phaseWord = (phase) => PHASE[phase] || phase;
export const stateWord = (state) => STATE[state] || state;
export const outcomeWord = (outcome) => OUTCOME[outcome] || outcome;
export const batchWord = (state) => BATCH[state] || state;
export const agentWord = (state) => AGENT[state] || state;

// How a call stands, in a word or two.
export function standing(call) {
  if (call.state === "live") return phaseWord(call.held ? "held" : call.progress || "requested");
  if (call.state === "ended") return outcomeWord(call.outcome) || "Ended";
  return stateWord(call.state);
}

// Why a call waits or was refused, in a sentence; empty if there is nothing to say.
export function because(call) {
  const why = call.why || {};
  const said = why.said || why.evidence || why.because || "";
  if (why.adopted) return `Found by looking for it: ${why.adopted}`;
  if (call.state === "waiting") {
    if (why.for) return `Waits: ${[WAITS[why.for] || why.for, said].filter(Boolean).join(": ")}`;
    return "Waits for its turn";
  }
  if (call.state === "refused") return [why.rule && `Rule: ${why.rule}`, said].filter(Boolean).join(". ");
  return said;
}

export function evidenceOf(call) {
  const seen = call.evidence;
  if (!seen) return "";
  const said = [seen.because, seen.error_message].filter(Boolean);
  const code = seen.sip_code && `SIP ${seen.sip_code}`;
  return [...new Set([...said, said.some((one) => one.includes(code)) ? "" : code])].filter(Boolean).join(" · ");
}

export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const COUNT = new Intl.NumberFormat("en");

export const timeOf = (at) => TIME.format(at * 1000);
export const dayOf = (at) => DAY.format(at * 1000);
export const count = (number) => COUNT.format(number);

// A moment as short as it can be told: the day only if it is another one.
export function moment(at, now = Date.now() / 1000) {
  const same = dayOf(at) === dayOf(now);
  return same ? SHORT.format(at * 1000) : `${dayOf(at)} ${SHORT.format(at * 1000)}`;
}

// The same to the second.
export const stamp = (at, now = Date.now() / 1000) =>
  dayOf(at) === dayOf(now) ? timeOf(at) : `${dayOf(at)} ${timeOf(at)}`;

export const many = (number, one, more = `${one}s`) => `${count(number)} ${number === 1 ? one : more}`;

// A number as people group it where that is known without a table; masked ones stay as they are.
export function spaced(number) {
  const us = /^\+1([2-9]\d{2})(\d{3})(\d{4})$/.exec(number);
  if (us) return `+1 ${us[1]} ${us[2]} ${us[3]}`;
  const masked = /^(\+\d{1,3})(•+)(\d{4})$/.exec(number);
  return masked ? `${masked[1]} ${masked[2]} ${masked[3]}` : number;
}
