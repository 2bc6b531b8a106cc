// Forty calls for the sandbox's sample agents, one of every fate that it knows: a batch like any other.

import { sampleRun, sampled } from "./filing.js";

const AGENTS = 20;
const CALLS = 40;
const FATES = ["2000", "0000", "0001", "2001", "0002", "2002", "0005", "2003", "0003", "0006", "2004", "0008"];

export async function sampleCalls(post) {
  const lines = ["key,to"];
  const run = sampleRun();
  for (let index = 0; index < CALLS; index += 1) {
    const exchange = String(200 + index);
    lines.push(`sample-${run}-${index + 1},+1212${exchange}${FATES[index % FATES.length]}`);
  }
  const agents = Array.from(
    { length: AGENTS },
    (_, index) => `agent-${String(index + 1).padStart(5, "0")}@example.com`,
  );
  try {
    await post("/v1/batches", undefined, {
      query: { name: "Sample calls", agent: agents, start: true },
      headers: { "Content-Type": "text/csv", "Idempotency-Key": `sample-${run}` },
      file: `${lines.join("\n")}\n`,
      lost: "Press again: they are the same calls.",
    });
  } catch (problem) {
    if (problem.refused) sampled();
    throw problem;
  }
  sampled();
}
