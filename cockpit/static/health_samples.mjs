// Samples of one quarantined group: what came, as it came, and why it could not be read. For engineers and auditors.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { reasonText } from "./health_reasons.mjs";
import { live } from "./live.mjs";
import { logIn } from "./session.mjs";
import { say } from "./texts.mjs";

export async function showSamples(group, readable) {
  if (!readable && !(await logIn(say("health.samples_why")))) return;
  const body = el("div", { class: "samples" }, el("p", { class: "quiet" }, say("shell.loading")));
  const title = say("health.samples_of", { reason: reasonText(group.reason), device: group.device || say("health.no_device") });
  const dialog = el(
    "dialog",
    { class: "wide", "aria-label": title },
    el("div", { class: "stack" }, el("h2", null, title), body, el("div", { class: "button-row" }, el("button", { type: "button", class: "primary", onclick: () => dialog.close() }, say("shell.close")))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    const { items } = await get(`quarantine/${encodeURIComponent(group.reason)}/${encodeURIComponent(group.device)}`);
    body.replaceChildren(items.length ? el("ol", null, items.filter((one) => one.shard === group.shard).map(sample)) : el("p", { class: "quiet" }, say("health.no_samples")));
  } catch (error) {
    const words = error.status === 403 ? say("health.samples_role") : error.message;
    body.replaceChildren(el("p", { class: "problem", role: "alert" }, words));
  }
}

function sample(found) {
  return el(
    "li",
    null,
    el("p", null, el("b", { class: "numeric" }, moment(found.at, live.now())), el("span", { class: "quiet" }, ` ${say("health.position", { position: number(found.position) })}`)),
    el("p", { class: "topic" }, found.topic),
    el("p", { class: "sentence", lang: "en" }, found.sentence),
    found.payload ? el("pre", { tabindex: "0", "aria-label": say("health.payload") }, found.payload) : el("p", { class: "quiet" }, say("health.no_payload")),
    found.bytes > (found.payload ?? "").length ? el("p", { class: "quiet" }, say("health.cut", { bytes: number(found.bytes) })) : "",
  );
}
