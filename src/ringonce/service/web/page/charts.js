// Small charts, drawn as SVG; what they show is also said in words beside or inside them.

import { el, mark, svg, tell } from "./dom.js";
import { count } from "./words.js";

const WIDTH = 240;
const HEIGHT = 56;

// A line of what was used over time, against a limit.
export function line(label) {
  const area = svg("path", { class: "area" });
  const stroke = svg("path", { class: "stroke" });
  const limit = svg("line", { class: "limit", x1: 0, x2: WIDTH });
  const title = svg("title");
  const drawing = svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    title,
    area,
    limit,
    stroke,
  );
  return {
    element: drawing,
    // Points are { at, value }; the newest lies at the right edge, `reach` seconds fill the width.
    show(points, most, reach, words) {
      tell(title, `${label}: ${words}`);
      const top = Math.max(most || 0, 1, ...points.map((point) => point.value)) * 1.08;
      const end = points.length ? points[points.length - 1].at : 0;
      const place = ({ at, value }) => [WIDTH - ((end - at) / reach) * WIDTH, HEIGHT - (value / top) * HEIGHT];
      const way = points
        .filter((point) => end - point.at <= reach)
        .map(place)
        .map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
      mark(stroke, "d", way.length > 1 ? `M${way.join("L")}` : "M0,0");
      const begin = way.length ? way[0].split(",")[0] : 0;
      mark(area, "d", way.length > 1 ? `M${begin},${HEIGHT}L${way.join("L")}L${WIDTH},${HEIGHT}Z` : "M0,0");
      const y = most ? HEIGHT - (most / top) * HEIGHT : -2;
      mark(limit, "y1", y.toFixed(1));
      mark(limit, "y2", y.toFixed(1));
    },
  };
}

// Bars for the last minutes; the one that still runs is lighter.
export function bars(label) {
  const title = svg("title");
  const group = svg("g");
  const limit = svg("line", { class: "limit", x1: 0, x2: WIDTH });
  const drawing = svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
    title,
    group,
    limit,
  );
  return {
    element: drawing,
    show(values, most, words) {
      tell(title, `${label}: ${words}`);
      const top = Math.max(most || 0, 1, ...values) * 1.08;
      const step = WIDTH / Math.max(values.length, 1);
      while (group.childNodes.length < values.length) group.append(svg("rect", { rx: 1.5 }));
      while (group.childNodes.length > values.length) group.lastChild.remove();
      values.forEach((value, index) => {
        const bar = group.childNodes[index];
        const high = value ? Math.max((value / top) * HEIGHT, 2) : 0;
        mark(bar, "x", (index * step + 2).toFixed(1));
        mark(bar, "width", Math.max(step - 4, 1).toFixed(1));
        mark(bar, "y", (HEIGHT - high).toFixed(1));
        mark(bar, "height", high.toFixed(1));
        mark(bar, "class", index === values.length - 1 ? "running" : null);
      });
      const y = most ? HEIGHT - (most / top) * HEIGHT : -2;
      mark(limit, "y1", y.toFixed(1));
      mark(limit, "y2", y.toFixed(1));
    },
  };
}

// One bar in parts; parts are [name, label, number].
export function stacked() {
  const bar = el("div", { class: "stacked", role: "img" });
  return {
    element: bar,
    show(parts) {
      const total = parts.reduce((sum, [, , number]) => sum + number, 0);
      mark(
        bar,
        "aria-label",
        parts
          .filter(([, , number]) => number)
          .map(([, label, number]) => `${label} ${count(number)}`)
          .join(", ") || "nothing yet",
      );
      bar.replaceChildren(
        ...parts
          .filter(([, , number]) => number)
          .map(([name, label, number]) => {
            const part = el("span", { class: `part ${name}`, title: `${label}: ${count(number)}` });
            part.style.width = `${(number / total) * 100}%`;
            return part;
          }),
      );
    },
  };
}

// A row for each: label, bar, number.
export function tally(parts) {
  const most = Math.max(1, ...parts.map(([, , number]) => number));
  return el(
    "dl",
    { class: "tally" },
    parts.map(([name, label, number]) => {
      const bar = el("span", { class: `fill ${name}` });
      bar.style.width = `${(number / most) * 100}%`;
      return el(
        "div",
        {},
        el("dt", { text: label }),
        el("dd", {}, el("span", { class: "track" }, bar), el("span", { class: "number", text: count(number) })),
      );
    }),
  );
}
