// What a device sent, as it came, around an instant or newest first; for the roles that may read it.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { say } from "./texts.mjs";

const MOST = 20;

/** Whether whoever is logged in may read raw messages: journals hold plates and household ids. */
export const readsRaw = () => (session()?.roles ?? []).some((role) => role === "engineer" || role === "auditor");

/** Open a dialog with the messages of a device around an instant (RFC 3339), without one with its newest. */
export async function rawDialog(device, at = null) {
  if (document.querySelector("dialog[open]")) return;
  const title = say("raw.title", { device });
  const body = el("div", { class: "samples" }, el("p", { class: "quiet" }, say("shell.loading")));
  const close = el("button", { type: "button", class: "primary", onclick: () => dialog.close() }, say("shell.close"));
  const about = el("p", { class: "quiet" }, at ? say("raw.around", { time: moment(at, live.now()) }) : say("raw.newest"));
  const dialog = el("dialog", { class: "wide", "aria-label": title }, el("div", { class: "stack" }, el("h2", null, title), about, body, el("div", { class: "button-row" }, close)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    const { items } = await get(`devices/${encodeURIComponent(device)}/raw`, { at, limit: MOST });
    body.replaceChildren(items.length ? el("ol", null, items.map(message)) : el("p", { class: "quiet" }, say("raw.none")));
  } catch (error) {
    body.replaceChildren(el("p", { class: "problem", role: "alert" }, error.status === 403 ? say("health.samples_role") : error.message));
  }
}

function message(found) {
  return el(
    "li",
    null,
    el("p", null, el("b", { class: "numeric" }, moment(found.received_at, live.now())), el("span", { class: "quiet" }, ` ${say("health.position", { position: number(found.position) })}`)),
    el("p", { class: "topic" }, found.topic),
    found.payload ? el("pre", { tabindex: "0", "aria-label": say("health.payload") }, found.payload) : el("p", { class: "quiet" }, say("health.no_payload")),
    found.bytes > found.payload.length ? el("p", { class: "quiet" }, say("health.cut", { bytes: number(found.bytes) })) : "",
  );
}
