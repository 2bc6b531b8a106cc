// The page's beginning: signed in or not, the frame around the views, and which view the address names.

import { get, whenSignedOut } from "./api.js";
import { el } from "./dom.js";
import { frame } from "./frame.js";
import { forgetTab } from "./keeping.js";
import { signIn } from "./signing.js";
import * as world from "./world.js";
import { agents } from "./agents.js";
import { batch } from "./batch.js";
import { batches } from "./batches.js";
import { dial } from "./dial.js";
import { doubts } from "./doubts.js";
import { history } from "./history.js";
import { now } from "./now.js";
import { story } from "./story.js";

const VIEWS = { now, dial, batches, doubts, agents, history };
const ONE = { batches: batch, history: story };
const shell = document.getElementById("shell");
let leave = () => {};
let framed = null;

async function begin() {
  let who;
  try {
    who = await get("/session");
  } catch (problem) {
    if (problem.status === 401) return out(problem.message.startsWith("You are signed out") ? problem.message : "");
    return later(problem);
  }
  inside(who);
}

function inside(who) {
  framed = frame(who, () => out(""));
  shell.replaceChildren(framed.element);
  world.begin();
  show();
}

function out(why) {
  leave();
  forgetTab();
  leave = () => {};
  world.end();
  framed?.close();
  framed = null;
  document.title = "Sign in · ringonce";
  shell.replaceChildren(signIn(why, inside));
  shell.querySelector("input").focus();
}

function later(problem) {
  shell.replaceChildren(
    el(
      "main",
      { id: "main", class: "plain" },
      el("h1", { text: "ringonce" }),
      el("p", { class: "notice lost", text: `${problem.message}. Retrying.` }),
    ),
  );
  setTimeout(begin, 2000);
}

function show() {
  if (!framed) return;
  const [, name = "now", id = ""] = /^#\/(\w+)(?:\/([\w-]+))?/.exec(location.hash) || [];
  const view = (id && Object.hasOwn(ONE, name) && ONE[name]) || (Object.hasOwn(VIEWS, name) && VIEWS[name]) || now;
  leave();
  const place = framed.place(Object.hasOwn(VIEWS, name) ? name : "now");
  const query = new URLSearchParams(location.hash.split("?")[1] || "");
  leave = view(place, { id, query, who: framed.who }) || (() => {});
  place.scrollIntoView({ block: "start" });
  scrollTo(0, 0);
  const heading = place.querySelector("h1");
  if (heading) document.title = `${heading.textContent} · ringonce`;
}

addEventListener("hashchange", () => {
  show();
  framed?.element.querySelector("h1")?.focus({ preventScroll: true });
});
// The address names the view, so the link to the content must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const main = document.getElementById("main");
  main.tabIndex = -1;
  main.focus();
});
whenSignedOut((problem) => out(problem.message));
// Another tab signed out, so this one is too.
addEventListener("storage", (event) => {
  if (event.key !== "ringonce.signed-out") return;
  forgetTab();
  if (framed) begin();
});
begin();
