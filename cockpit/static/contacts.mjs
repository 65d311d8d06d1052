// Who it was, whom to call, and what can be seen: a name with its telephone, a camera with how far away it is.

import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { named, say } from "./texts.mjs";

/** A unit or an officer: the name, and the telephone as a link that dials. */
export const person = (who) => [`${named(who.name)} `, who.phone && el("a", { href: `tel:${who.phone}` }, who.phone)].filter(Boolean);

/** Who acted: the name somebody logs in by, or the word for what happened by itself. */
export const actor = (name) => (name === "system" ? say("act.system") : name);

export function cameraText(camera) {
  const away = camera.distance_m === null ? "" : say("alarm.camera_away", { m: number(camera.distance_m) });
  return [camera.id, named(camera.name), away].filter(Boolean).join(" · ");
}
