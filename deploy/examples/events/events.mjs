// Events from Node 18 and newer, without a package: collected and sent together, again when that fails.
import { randomUUID } from "node:crypto";

const URL = process.env.SKEP_EVENTS ?? "http://127.0.0.1:7537/v1/events";
const MAX_WAITING = 10_000;

let waiting = [];
let timer;

// Keeps the event for the next batch. The id makes a repeat harmless, the time keeps its own.
export function event(kind, fields = {}) {
  if (waiting.length >= MAX_WAITING) waiting.shift();
  waiting.push({ kind, id: randomUUID(), time: new Date().toISOString(), ...fields });
  timer ??= setTimeout(() => flush().catch((error) => console.error("events:", error.message)), 1000);
  timer.unref();
}

// Sends what waits. What the exporter refuses is said and dropped; what it could not take is kept.
export async function flush() {
  clearTimeout(timer);
  timer = undefined;
  const batch = waiting;
  waiting = [];
  if (batch.length === 0) return;
  try {
    const answer = await fetch(URL, {
      method: "POST",
      headers: { "Content-Type": "application/x-ndjson" },
      body: batch.map((one) => JSON.stringify(one)).join("\n"),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
    const { errors = [], error } = await answer.json();
    if (error) console.error("events:", error);
    for (const { line, field, message } of errors) console.error(`events: ${batch[line - 1].kind}: ${field}: ${message}`);
  } catch (error) {
    waiting = batch.concat(waiting).slice(-MAX_WAITING);
    throw error;
  }
}

// node events.mjs: how a service uses it.
if (process.argv[1] === new globalThis.URL(import.meta.url).pathname) {
  const begin = performance.now();
  event("feature", { feature: "export" });
  event("external_api", { api: "payment", outcome: "ok", duration_seconds: (performance.now() - begin) / 1000 });
  event("measure", { name: "basket_items_total", type: "counter", value: 3, labels: { shop: "eu" } });
  await flush();
}
