// Signing in: the token is pasted once and kept nowhere on this side.

import { post } from "./api.js";
import { button, el, field } from "./dom.js";

export function signIn(why, entered) {
  const token = el("input", {
    type: "password",
    name: "token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    placeholder: "ro_…",
  });
  const wrong = el("p", { class: "notice bad", role: "alert", hidden: !why, text: why });
  const enter = button("Sign in", null, { kind: "main", type: "submit" });
  const form = el(
    "form",
    { class: "panel signing" },
    el("h1", { text: "Sign in to ringonce" }),
    wrong,
    field("API token", token, { hint: "Its role says what you can see and do here." }),
    enter,
    el(
      "p",
      { class: "soft" },
      "The first start of ",
      el("code", { text: "ringonce serve" }),
      " prints one. Another: ",
      el("code", { text: "ringonce token create" }),
      ".",
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    enter.disabled = true;
    wrong.hidden = true;
    try {
      entered(await post("/session", { token: token.value.trim() }, { lost: "Press again once it can be reached." }));
    } catch (problem) {
      wrong.hidden = false;
      wrong.textContent = problem.told;
      enter.disabled = false;
      token.select();
    }
  });
  return el("main", { id: "main", class: "door" }, form);
}
