// Reporting a case: an officer's own finding or a hotline call; what it is, where, and how bad.

import { freshKey } from "./acknowledge.mjs";
import { post } from "./api.mjs";
import { hoursText, reason } from "./case_acts.mjs";
import { caseDesk } from "./case_desk.mjs";
import { el } from "./dom.mjs";
import { areaInput, selectInput, textInput } from "./inputs.mjs";
import { logIn, session } from "./session.mjs";
import { named, say } from "./texts.mjs";
import { toast } from "./toast.mjs";

export async function reportDialog(city, classes) {
  if (!session()?.user && !(await logIn(say("cases.log_in_act")))) return;
  const key = freshKey();
  const fields = {
    source: selectInput(say("cases.in_source"), ["officer", "hotline"].map((each) => [each, say(`cases.source_${each}`)])),
    reference: textInput(say("cases.in_call"), { maxlength: 160 }),
    sub_class: selectInput(say("cases.in_class"), choose(classes.map((row) => [row.key, `${named(row.name)} · ${hoursText(row)}`]))),
    street: selectInput(say("cases.filter_street"), choose([...city.street.values()].map((street) => [street.key, named(street.name)])), caseDesk.filter.street),
    place: textInput(say("cases.in_place"), { maxlength: 200 }),
    lat: textInput(say("cases.in_lat"), { type: "number", step: "any", min: "-90", max: "90" }),
    lon: textInput(say("cases.in_lon"), { type: "number", step: "any", min: "-180", max: "180" }),
    description: areaInput(say("cases.in_description"), true),
    picture: textInput(say("cases.in_picture"), { maxlength: 300 }),
  };
  for (const field of [fields.sub_class, fields.street]) field.control.required = true;
  const severe = el("input", { type: "checkbox" });
  const call = () => (fields.reference.element.hidden = fields.source.value() !== "hotline");
  fields.source.control.addEventListener("change", call);
  call();
  const problem = el("p", { class: "problem", role: "alert" });
  const send = el("button", { type: "submit", class: "primary" }, say("cases.report"));
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", null, say("cases.report")),
    fields.source.element,
    fields.reference.element,
    fields.sub_class.element,
    el("label", { class: "check" }, severe, say("cases.severe")),
    fields.description.element,
    el("div", { class: "pair" }, fields.street.element, fields.place.element),
    el("div", { class: "pair" }, fields.lat.element, fields.lon.element),
    fields.picture.element,
    problem,
    el("div", { class: "button-row" }, send, el("button", { type: "button", onclick: () => dialog.close() }, say("login.cancel"))),
  );
  const dialog = el("dialog", { class: "case-dialog", "aria-label": say("cases.report") }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      const found = await post("cases", request(fields, severe.checked, key));
      toast(say("cases.reported", { id: found.id }));
      dialog.close();
      caseDesk.choose(found.id);
    } catch (error) {
      problem.textContent = reason(error);
    }
    send.disabled = false;
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  fields.sub_class.control.focus();
}

// Nothing is chosen beforehand: the first of a list would be reported by whoever is in a hurry.
const choose = (options) => [["", say("cases.in_choose")], ...options];

function request(fields, severe, key) {
  const { lat, lon, picture, ...texts } = fields;
  const told = Object.fromEntries(Object.entries(texts).map(([name, field]) => [name, field.value()]));
  if (told.source !== "hotline") told.reference = "";
  const place = lat.value() || lon.value() ? { lat: number(lat.value()), lon: number(lon.value()) } : {};
  return { ...told, ...place, severe, pictures: picture.value() ? [picture.value()] : [], idempotency_key: key };
}

const number = (text) => (text === "" ? null : Number(text));
