// The frame: where one is, what is wrong with the service as a whole, and the switch that stops all dialling.

import { ask, post, sentences } from "./api.js";
import { button, el, mark, svg, tell } from "./dom.js";
import { keep } from "./keeping.js";
import { reasoned } from "./reasoning.js";
import { count, moment } from "./words.js";
import { on, refresh, world } from "./world.js";

const PLACES = [
  ["now", "Now", "M4 12h3l2.5-7 5 14 2.5-7h3"],
  [
    "dial",
    "Dial",
    "M6 4h3l1.5 4.5-2 1.5a11 11 0 0 0 5.500 5.500l1.500-2L20 15v3a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z",
  ],
  ["batches", "Batches", "M5 6h14M5 12h14M5 18h9"],
  ["doubts", "Refused", "M12 8v5m0 3.500v.01M12 3.500 2.800 19.500h18.400z"],
  [
    "agents",
    "Agents",
    "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zm-6 9a6 6 0 0 1 12 0m1.500-9a3 3 0 1 0-1-5.700M17 14.500a5 5 0 0 1 4 5.500",
  ],
  ["history", "History", "M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 4v4.500h4.500M12 8v4.500l3 2"],
];

export function frame(who, left) {
  const links = {};
  const badge = el("span", { class: "badge", hidden: true });
  const nav = el(
    "nav",
    { "aria-label": "Views" },
    PLACES.map(([name, label, path]) => {
      const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
      const text =
        name === "doubts"
          ? el("span", {}, label, el("span", { class: "wide-only", text: " and unknown" }))
          : el("span", { text: label });
      links[name] = el("a", { href: `#/${name}` }, icon, text, name === "doubts" ? badge : null);
      return links[name];
    }),
  );
  const dot = el("span", { class: "dot", "aria-hidden": "true" });
  const link = el("span", { class: "link" }, dot, el("span", { text: "Connecting" }));
  const stop = button("Stop dialling", () => stopping(), { kind: "quiet danger" });
  stop.hidden = who.role !== "admin";
  const person = el(
    "div",
    { class: "person" },
    el("span", { class: "soft", text: `${who.name} (${who.role})` }),
    button("Sign out", signOut, { kind: "quiet" }),
  );
  const lost = el("p", {
    class: "notice lost",
    hidden: true,
    text: "Connection lost, retrying. What you see may be out of date.",
  });
  const stays = el("p", { class: "notice bad", role: "alert", hidden: true });
  const sandbox = el("p", {
    class: "notice calm",
    hidden: !who.sandbox,
    text: "Nothing real rings: every call goes to the embedded sandbox.",
  });
  const stopped = el("p", { class: "notice bad", hidden: true });
  const idle = el("p", {
    class: "notice warn",
    hidden: true,
    text: "No worker gives a sign of life: calls are taken in, and nothing is dialled. Start one with “ringonce worker”.",
  });
  const main = el("main", { id: "main" });
  const element = el(
    "div",
    { class: "frame" },
    el(
      "header",
      {},
      el(
        "a",
        { class: "brand", href: "#/now" },
        el("img", { src: "/page/icon.svg", alt: "", width: "26", height: "26" }),
        "ringonce",
      ),
      nav,
      el("div", { class: "foot" }, link, stop, person),
    ),
    el("div", { class: "body" }, el("div", { class: "notices" }, stays, lost, stopped, idle, sandbox), main),
  );

  function linked() {
    const state = world.link;
    mark(link, "data-link", state);
    tell(link.lastChild, { live: "Live", lost: "Retrying", connecting: "Connecting" }[state]);
    lost.hidden = state !== "lost";
  }

  function looked(now) {
    const unknown = now.states.unknown || 0;
    badge.hidden = !unknown;
    tell(badge, count(unknown));
    badge.title = "calls that may have rung";
    idle.hidden = now.workers.length > 0;
    stopped.hidden = !now.stop.stopped;
    if (now.stop.stopped) {
      const since = now.stop.since ? ` since ${moment(now.stop.since)}` : "";
      tell(stopped, `All dialling is stopped${since}: ${now.stop.reason || "no reason was given"}. Live calls go on.`);
    }
    tell(stop, now.stop.stopped ? "Dial again" : "Stop dialling");
  }

  async function stopping() {
    const on = world.now?.stop.stopped;
    const question = on
      ? { title: "Let calls ring again?", words: "What waits is dialled again.", act: "Dial again", asks: false }
      : {
          title: "Stop all dialling?",
          words: "Nothing new rings, whoever asks. Live calls go on, and what waits stays.",
          act: "Stop dialling",
          asks: true,
        };
    await reasoned(question, (reason) => (on ? ask("DELETE", "/v1/stop") : post("/v1/stop", { reason })));
    refresh();
  }

  async function signOut() {
    stays.hidden = true;
    try {
      await ask("DELETE", "/session", { lost: "Sign out again once it can be reached, or close the browser." });
    } catch (problem) {
      // Without a session there is nothing to end; otherwise the cookie still lets in whoever sits here.
      if (problem.status !== 401) {
        tell(stays, sentences("You are still signed in", problem.message, problem.fix));
        stays.hidden = false;
        return;
      }
    }
    keep("local", "ringonce.signed-out", Date.now());
    left();
  }

  const off = [on("link", linked), on("now", looked)];
  linked();
  return {
    who,
    element,
    close: () => off.forEach((one) => one()),
    place(name) {
      for (const [other, anchor] of Object.entries(links)) mark(anchor, "aria-current", other === name ? "page" : null);
      main.replaceChildren();
      return main;
    },
  };
}
