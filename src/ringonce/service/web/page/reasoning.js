// A question before something that can't be taken back, with the reason that goes into the audit log.

import { button, el, field } from "./dom.js";

// Resolves to true once `act` went through, to false if the person thought better of it.
export function reasoned({ title, words, act, asks = true, extra = [], danger = true }, perform) {
  return new Promise((resolve) => {
    const reason = el("input", { type: "text", name: "reason", maxlength: "256", required: asks });
    const wrong = el("p", { class: "notice bad", role: "alert", hidden: true });
    const go = button(act, null, { kind: danger ? "main danger" : "main", type: "submit" });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { text: title }),
      words ? el("p", { text: words }) : null,
      extra,
      asks ? field("Reason", reason, { hint: "Kept in the audit log." }) : null,
      wrong,
      el(
        "div",
        { class: "acts" },
        button("Back", () => close(false)),
        go,
      ),
    );
    const dialog = el("dialog", { "aria-label": title }, form);
    const close = (done) => {
      dialog.close();
      dialog.remove();
      resolve(done);
    };
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(false);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await perform(reason.value.trim());
        close(true);
      } catch (problem) {
        wrong.hidden = false;
        wrong.textContent = problem.told;
        go.disabled = false;
      }
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
