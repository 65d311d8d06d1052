// Trying a quarantined group again: one question before, and what became of it told after.

import { get, post } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { feed } from "./health_feed.mjs";
import { reasonText } from "./health_reasons.mjs";
import { logIn, session } from "./session.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";

const LOOK_MS = 1_000;
const LOOKS = 120;
const ENDED = new Set(["done", "failed"]);

export async function askRetry(group) {
  if (!session()?.roles?.includes("engineer") && !(await logIn(say("health.retry_why")))) return;
  if (!session()?.roles?.includes("engineer")) return toast(say("health.retry_role"), { problem: true });
  if (await confirmed(group)) await retry(group);
}

function confirmed(group) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = el("button", { type: "submit", class: "primary" }, say("health.retry_yes", { count: number(group.count) }));
    const dialog = el(
      "dialog",
      { "aria-label": say("health.retry_title") },
      el(
        "form",
        { method: "dialog" },
        el("h2", null, say("health.retry_title")),
        el("p", null, el("b", null, reasonText(group.reason)), ` · ${group.device || say("health.no_device")}`),
        el("p", { class: "quiet" }, say("health.retry_detail", { count: number(group.count) })),
        el("div", { class: "button-row" }, yes, el("button", { type: "button", onclick: () => dialog.close() }, say("login.cancel"))),
      ),
    );
    dialog.querySelector("form").addEventListener("submit", () => (answer = true));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}

async function retry(group) {
  const key = window.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  try {
    const asked = await post("quarantine/retry", { reason: group.reason, device: group.device, idempotency_key: key });
    toast(say("health.retry_asked"));
    tell(await finished(asked.items));
  } catch (error) {
    toast(say("health.retry_failed", { detail: error.message }), { problem: true });
  }
  feed.ask("quarantine");
  feed.ask("ledger");
}

async function finished(items) {
  const mine = new Set(items.map((one) => one.id));
  let found = items;
  for (let look = 0; look < LOOKS && !found.every((one) => ENDED.has(one.state)); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    found = (await get("quarantine/retries")).items.filter((one) => mine.has(one.id));
  }
  return found;
}

function tell(items) {
  const sum = (name) => items.reduce((total, one) => total + (one[name] ?? 0), 0);
  const [total, landed] = [sum("total"), sum("landed")];
  const failed = items.find((one) => one.state === "failed");
  const why = new Set(items.flatMap((one) => Object.keys(one.remaining ?? {})).map(reasonText));
  const counts = { landed: number(landed), total: number(total) };
  if (failed) toast(say("health.retry_never"), { problem: true });
  else if (!items.every((one) => ENDED.has(one.state))) toast(say("health.retry_running", counts));
  else if (landed === total) toast(say("health.retry_done", counts));
  else toast(say("health.retry_rest", { ...counts, why: [...why].join(say("rules.between")) }), { problem: true });
}
