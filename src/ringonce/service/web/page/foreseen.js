// When the rows of a batch would be dialled, and which never.

import { el } from "./dom.js";
import { count, many, moment } from "./words.js";

export function foreseen(preview, title = `What would be dialled when (${many(preview?.rows || 0, "row")})`) {
  if (!preview) return "";
  const most = Math.max(1, preview.now, ...preview.later.map((group) => group.rows));
  const line = (when, number, why, kind) => {
    const bar = el("span", { class: `fill ${kind}` });
    bar.style.width = `${(number / most) * 100}%`;
    return el(
      "div",
      {},
      el("dt", { text: when }),
      el("dd", {}, el("span", { class: "track" }, bar), el("span", { class: "number", text: count(number) })),
      why ? el("dd", { class: "soft why", text: why }) : null,
    );
  };
  const lines = [];
  if (preview.now || !preview.later.length) lines.push(line("At once", preview.now, "", "good"));
  for (const group of preview.later) lines.push(line(`From ${moment(group.at)}`, group.rows, example(group), "waits"));
  if (preview.more_later) lines.push(line("Later still", preview.more_later, "", "waits"));
  for (const group of preview.refused)
    lines.push(line("Never", group.rows, `${group.rule}${example(group) ? `: ${example(group)}` : ""}`, "refused"));
  return el(
    "section",
    { class: "foreseen" },
    title ? el("h3", { text: title }) : null,
    el("dl", { class: "tally" }, lines),
  );
}

function example(group) {
  const [first] = group.examples;
  return first ? `row ${count(first.row)}: ${first.why}` : group.rule;
}
