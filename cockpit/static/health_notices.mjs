// Messages to people: how many wait by channel, and those nobody took for a day, which can be tried again.

import { post } from "./api.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { live } from "./live.mjs";
import { logIn, session, sessions } from "./session.mjs";
import { mark, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";

const MOST = 50;

export function mount(element, scope) {
  const show = () => {
    const part = feed.part("notices");
    if (part.error?.status === 401 || part.error?.status === 403) return element.replaceChildren(counts(), askToLogIn(part.error));
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    // A button that is being pressed must not be changed under the finger.
    if (element.contains(document.activeElement) && document.activeElement !== document.body) return;
    const letters = part.value.items.slice(0, MOST);
    const none = el("p", { class: "health-none" }, mark(STATE_SHAPES.ACKED), say("health.none_dead"));
    element.replaceChildren(
      ...[oldness(part)].filter(Boolean),
      channels(part.value.channels),
      letters.length ? el("ol", { class: "mute-list" }, letters.map(letter)) : none,
      letters.length ? el("button", { type: "button", onclick: () => revive(letters) }, say("health.revive", { count: number(letters.length) })) : "",
    );
  };
  feed.need("notices", scope, show);
  scope.listen(sessions, "change", () => feed.ask("notices"));
  scope.listen(live, "summary", () => feed.part("notices").error && show());
}

function counts() {
  const { waiting = 0, dead = 0 } = live.summary?.notices ?? {};
  return el("p", null, say("health.letters", { waiting: number(waiting), dead: number(dead) }));
}

function askToLogIn(error) {
  if (error.status === 403) return el("p", { class: "quiet" }, error.message);
  return el("button", { type: "button", onclick: () => logIn(say("health.notices_why")) }, say("shell.log_in"));
}

function channels(found) {
  const names = Object.keys(found);
  if (!names.length) return el("p", { class: "quiet" }, say("health.no_channel"));
  const words = (name) => say("health.channel", { name, waiting: number(found[name].waiting), dead: number(found[name].dead) });
  return el("ul", { class: "mute-list" }, names.map((name) => el("li", null, words(name))));
}

function letter(item) {
  const when = el("span", { class: "quiet numeric" }, moment(item.made_at, live.now()));
  return el("li", null, el("p", null, el("b", null, item.title), ` ${item.channel}`), el("p", { class: "since" }, el("span", { lang: "en" }, item.trouble), when));
}

async function revive(letters) {
  if (!session()?.user && !(await logIn(say("health.notices_why")))) return;
  const key = window.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  try {
    const done = await post("notices/revive", { keys: letters.map((item) => item.key), idempotency_key: key });
    toast(say("health.revived", { count: number(done.keys.length) }));
  } catch (error) {
    toast(say("shell.failed", { detail: error.message }), { problem: true });
  }
  document.activeElement?.blur();
  feed.ask("notices");
}
