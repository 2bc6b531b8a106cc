// What the browser keeps for the page. Where it keeps nothing (private windows, full or forbidden storage), this tab's
// memory does, until it is reloaded.

const memory = new Map();
const stores = { local: () => localStorage, session: () => sessionStorage };
let failed = "";

// Why nothing is kept, in the browser's words; empty if it is.
export const keepsNothing = () => failed;

export function kept(where, name) {
  if (memory.has(name)) return structuredClone(memory.get(name));
  try {
    return JSON.parse(stores[where]().getItem(name));
  } catch (problem) {
    if (!(problem instanceof SyntaxError)) failed = problem.message;
    return null;
  }
}

export function keep(where, name, value) {
  try {
    stores[where]().setItem(name, JSON.stringify(value));
    memory.delete(name);
  } catch (problem) {
    failed = problem.message;
    memory.set(name, structuredClone(value));
  }
}

export function forget(where, name) {
  memory.delete(name);
  try {
    stores[where]().removeItem(name);
  } catch (problem) {
    failed = problem.message;
  }
}

// Forgets all that this tab has kept for itself.
export function forgetTab() {
  try {
    sessionStorage.clear();
  } catch (problem) {
    failed = problem.message;
  }
  memory.delete("ringonce.form");
}
