// Requests to the cockpit's own API; a refusal becomes an error that says in the reader's language what is wrong.

import { problemText } from "./problem_words.mjs";
import { say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const BASE = new URL("../", import.meta.url);

// The live city, from within an exercise: who is logged in, and which exercises there are, is known there alone.
const LIVE = new URL(BASE.pathname.replace(/drill\/city\/[^/]+\/$/, ""), BASE);
const OF_LIVE = new Set(["login", "logout", "session", "drills"]);
const root = (path) => (OF_LIVE.has(path.split("/")[0]) ? LIVE : BASE);

const AT_ANY_TIME = new Set(["login", "logout"]);

export class Refused extends Error {
  constructor(status, problem, words = problemText(status, problem)) {
    super(words);
    this.status = status;
    this.problem = problem;
  }
}

export const address = (path) => new URL(path, BASE).href;

/** An address of the live city, also from within an exercise. */
export const liveAddress = (path) => new URL(path, LIVE).href;

export function socketAddress(path, base = BASE) {
  const url = new URL(path, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export const liveSocketAddress = (path) => socketAddress(path, LIVE);

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  // Of a city that is only played every act is refused alike, and in the reader's own language.
  if (response.status === 405 && settings.replay) throw new Refused(405, body, say("shell.replay_read_only"));
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

/** A browser has its own words, mostly English ones, for a server that cannot be reached. */
async function reached(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Refused(0, null, say("login.unreachable"));
  }
}

const ask = async (url) => answer(await reached(url, { headers: { Accept: "application/json" } }));

// What the past was does not change: a page that asks again gets the same answer.
const told = new Map();

export async function get(path, parameters = {}) {
  const url = new URL(`api/v1/${path}`, root(path));
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) url.searchParams.set(key, value);
  }
  if (!timeWindow.past || path === "session") return ask(url);
  url.searchParams.set("at", timeWindow.given);
  if (!told.has(url.href)) {
    const asked = ask(url);
    // That an instant is refused does not change either; a server that is away comes back.
    asked.catch((error) => error.status === 422 || told.delete(url.href));
    told.set(url.href, asked);
  }
  return told.get(url.href);
}

export async function post(path, body) {
  // Acts are done now; whoever looks at the past does not see what they would be about.
  if (timeWindow.past && !AT_ANY_TIME.has(path)) throw new Refused(0, null, say("past.no_acts"));
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return answer(await reached(new URL(`api/v1/${path}`, root(path)), options));
}

export async function remove(path) {
  return answer(await reached(new URL(`api/v1/${path}`, BASE), { method: "DELETE" }));
}
