// One file with its settings is one batch: the key is made of them. While nobody knows whether a file was taken in, each
// press for it sends the key of the first, whatever has been set since, so that it can't be taken in twice.

import { forget, keep, kept } from "./keeping.js";
import { Sha256, sha256 } from "./sha256.js";

const FILES = "ringonce.files";
const SAMPLE = "ringonce.sample";

// Gives the key under which the file goes; `print` belongs to the chosen file and holds its hash once it is known.
export async function sendingFile(print, file, settings) {
  if (!print.hash) print.hash = await hashOf(file);
  const doubtful = kept("local", FILES) || {};
  doubtful[print.hash] ||= `page-${sha256(print.hash + JSON.stringify(settings)).slice(0, 32)}`;
  keep("local", FILES, doubtful);
  return doubtful[print.hash];
}

export function filed(print) {
  const { [print.hash]: _, ...others } = kept("local", FILES) || {};
  keep("local", FILES, others);
}

// Notes that the file was not taken in now; gives the batch's id if the file turns out to have been before.
export function notFiled(print, problem) {
  if (!problem.refused || problem.status === 401 || problem.status === 429) return "";
  const there = problem.status === 409 ? /batch_[0-9a-f]+/.exec(problem.message) : null;
  if (there || problem.status !== 409) filed(print);
  return there ? there[0] : "";
}

// The sample calls' own name, which stays until the server has answered.
export function sampleRun() {
  const run = kept("local", SAMPLE) || Date.now().toString(36);
  keep("local", SAMPLE, run);
  return run;
}

export const sampled = () => forget("local", SAMPLE);

async function hashOf(file) {
  const hash = new Sha256();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hash.hex();
    hash.add(value);
  }
}
