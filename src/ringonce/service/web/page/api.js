// Questions to the server. What it refuses comes as a Problem that says what, why and what to do.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "The server gave no answer that can be read");
    this.status = status;
    this.kind = (body.type || "").split(":").pop();
    this.fix = body.fix || "";
    this.body = body;
  }

  // All of it, in sentences.
  get told() {
    return sentences(this.message, this.fix);
  }

  // Whether the server has said no: without an answer, or with one of a server in trouble, nobody knows.
  get refused() {
    return this.status >= 400 && this.status < 500;
  }
}

export function sentences(...parts) {
  return parts
    .filter(Boolean)
    .map((part) => part.replace(/^\p{Ll}(?=[\p{Ll}\s,])/u, (letter) => letter.toUpperCase()).replace(/[.\s]+$/, ""))
    .map((part) => `${part}${/[?!…]$/.test(part) ? "" : "."}`)
    .join(" ");
}

const gone = new EventTarget();

// Tells who listens when the session is over.
export const whenSignedOut = (listener) => gone.addEventListener("over", (event) => listener(event.detail));

export async function ask(method, path, { body, query, headers = {}, file, signal, lost = "" } = {}) {
  const sent = { "X-Ringonce-Page": "1", ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path + asQuery(query), {
      method,
      headers: sent,
      body: file !== undefined ? file : body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
  } catch {
    const fix = lost || (method === "GET" ? "" : "It may have been done all the same: look before you press again.");
    throw new Problem(0, { detail: "The server can't be reached", fix });
  }
  const told = await read(answer);
  if (answer.ok) return told;
  const problem = new Problem(answer.status, told || {});
  if (answer.status === 401 && path !== "/session") gone.dispatchEvent(new CustomEvent("over", { detail: problem }));
  throw problem;
}

export const get = (path, query, options = {}) => ask("GET", path, { query, ...options });
export const post = (path, body = undefined, options = {}) => ask("POST", path, { body, ...options });

async function read(answer) {
  const text = await answer.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asQuery(query) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== "" && one !== null && one !== undefined && one !== false) made.append(name, String(one));
    }
  }
  const text = made.toString();
  return text && `?${text}`;
}
