// Elements without markup: text is set as text, so nothing that is shown can become code.

const SVG = "http://www.w3.org/2000/svg";

// Attributes go as they are; "on" holds listeners, "class" may be empty, null and false are left out.
export function el(name, options = {}, ...children) {
  return dressed(document.createElement(name), options, children);
}

export function svg(name, options = {}, ...children) {
  return dressed(document.createElementNS(SVG, name), options, children);
}

function dressed(element, options, children) {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "text") element.textContent = value;
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

// Writes only what differs: a screen reader and the layout are left alone otherwise.
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  const text = value === null || value === undefined || value === false ? null : String(value === true ? "" : value);
  if (element.getAttribute(name) === text) return;
  if (text === null) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

let unique = 0;

// A labelled control with room for a hint and for what is wrong with it.
export function field(label, control, { hint = "", wide = false } = {}) {
  const id = `field-${++unique}`;
  control.id = id;
  const note = el("p", { class: "hint", id: `${id}-hint`, text: hint });
  control.setAttribute("aria-describedby", note.id);
  const wrap = el(
    "div",
    { class: wide ? "field wide" : "field" },
    el("label", { for: id, text: label }),
    control,
    note,
  );
  wrap.note = (text, wrong = false) => {
    tell(note, text || hint);
    mark(note, "data-wrong", wrong);
    mark(control, "aria-invalid", wrong ? "true" : null);
  };
  return wrap;
}

export function button(text, press, { kind = "", label = null, type = "button" } = {}) {
  return el("button", { type, class: kind || null, text, "aria-label": label, on: press ? { click: press } : {} });
}

export function announce(text) {
  const said = document.getElementById("said");
  if (said.textContent !== text) said.textContent = text;
}

// Does something soon, no more often than every `gap` milliseconds, and never twice at a time: an answer that was slow
// would come after a newer one, and stand.
export function seldom(work, gap) {
  let timer = null;
  let last = -Infinity;
  let busy = false;
  let wanted = false;
  const run = async () => {
    timer = null;
    last = performance.now();
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
      if (wanted) ask();
    }
  };
  const ask = () => {
    wanted = busy;
    if (!busy && timer === null) timer = setTimeout(run, Math.max(0, last + gap - performance.now()));
  };
  ask.stop = () => {
    clearTimeout(timer);
    timer = null;
    wanted = false;
  };
  return ask;
}
