// Requests to the cockpit's own API; a refusal becomes an error with the sentence the server gave for people.

const BASE = new URL("../", import.meta.url);

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
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

export async function get(path, parameters = {}) {
  const url = new URL(`api/v1/${path}`, BASE);
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) url.searchParams.set(key, value);
  }
  return answer(await fetch(url, { headers: { Accept: "application/json" } }));
}

export async function post(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return answer(await fetch(new URL(`api/v1/${path}`, BASE), options));
}
