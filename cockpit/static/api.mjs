// Requests to the cockpit's own API; a refusal becomes an error with the sentence the server gave for people.

import { say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const BASE = new URL("../", import.meta.url);

const AT_ANY_TIME = new Set(["login", "logout"]);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || String(status));
    this.status = status;
    this.problem = problem;
  }
}

export const address = (path) => new URL(path, BASE).href;

export function socketAddress(path) {
  const url = new URL(path, BASE);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  // Of a city that is only played every act is refused alike, and in the reader's own language.
  if (response.status === 405 && settings.replay) throw new Refused(405, { ...body, detail: say("shell.replay_read_only") });
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

const ask = async (url) => answer(await fetch(url, { headers: { Accept: "application/json" } }));

// What the past was does not change: a page that asks again gets the same answer.
const told = new Map();

export async function get(path, parameters = {}) {
  const url = new URL(`api/v1/${path}`, BASE);
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) url.searchParams.set(key, value);
  }
  if (!timeWindow.past || path === "session") return ask(url);
  url.searchParams.set("at", timeWindow.given);
  if (!told.has(url.href)) {
    const asked = ask(url);
    asked.catch(() => told.delete(url.href));
    told.set(url.href, asked);
  }
  return told.get(url.href);
}

export async function post(path, body) {
  // Acts are done now; whoever looks at the past does not see what they would be about.
  if (timeWindow.past && !AT_ANY_TIME.has(path)) throw new Refused(0, { detail: say("past.no_acts") });
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return answer(await fetch(new URL(`api/v1/${path}`, BASE), options));
}

export async function remove(path) {
  return answer(await fetch(new URL(`api/v1/${path}`, BASE), { method: "DELETE" }));
}
