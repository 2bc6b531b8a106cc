// One decision to call is one key, whatever is pressed how often and in which tab.
//
// A form's content has a key from the moment it is whole. Tabs find each other's keys in localStorage; the form itself
// is its tab's own (sessionStorage). A key is let go once its call is over: the same form is a new decision then.

const FORM = "ringonce.form";
const KEYS = "ringonce.keys";
const MOST = 50;
const KEPT = 24 * 3600 * 1000;

export function keptForm() {
  return read(sessionStorage, FORM) || {};
}

export function keepForm(form) {
  sessionStorage.setItem(FORM, JSON.stringify(form));
}

// Gives { key, call }: `call` is the id of the call that was taken in under the key, once there is one.
export function decision(body) {
  const all = every();
  const name = JSON.stringify(body);
  if (!all[name]) {
    all[name] = { key: `page-${random()}`, at: Date.now(), call: "" };
    write(all);
  }
  return all[name];
}

export function taken(body, call) {
  const all = every();
  const name = JSON.stringify(body);
  if (all[name]) all[name].call = call;
  write(all);
}

export function letGo(body) {
  const all = every();
  delete all[JSON.stringify(body)];
  write(all);
}

export function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function every() {
  return read(localStorage, KEYS) || {};
}

function write(all) {
  const fresh = Object.entries(all).filter(([, one]) => Date.now() - one.at < KEPT);
  fresh.sort(([, a], [, b]) => b.at - a.at);
  localStorage.setItem(KEYS, JSON.stringify(Object.fromEntries(fresh.slice(0, MOST))));
}

function read(store, name) {
  try {
    return JSON.parse(store.getItem(name));
  } catch {
    return null;
  }
}
