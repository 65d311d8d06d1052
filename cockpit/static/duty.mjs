// The duty desk: keeps the grid equal to the open alarms, follows the keys, and announces what is new.

import { acknowledge } from "./acknowledge.mjs";
import { alarmWords, priorityText } from "./alarms.mjs";
import { desk } from "./desk.mjs";
import { actOf, beginAct } from "./desk_acts.mjs";
import { showAsked } from "./desk_asked.mjs";
import { helpDialog } from "./duty_help.mjs";
import { duration, moment } from "./format.mjs";
import { handoverDialog } from "./handover.mjs";
import { live } from "./live.mjs";
import { PRIORITY_SHAPES, STATE_SHAPES } from "./shapes.mjs";
import { sound } from "./sound.mjs";
import { say, settings } from "./texts.mjs";
import { toast } from "./toast.mjs";
import { isUnacked, rank } from "./urgency.mjs";

const GRID = "duty-grid";

export async function mount(element, scope) {
  const words = await alarmWords();
  listenToKeys(scope, words);
  element.setAttribute("aria-keyshortcuts", "j k a d c s r m h ?");
  scope.listen(live, "alarm", ({ detail }) => {
    const { alarm, before } = detail;
    const worse = before && rank(alarm.priority) < rank(before.priority);
    if (isUnacked(alarm) && (!before || worse || !isUnacked(before))) sound.announce(alarm.priority);
    if (alarm.state === "CLOSED" && alarm.id === desk.chosen) toast(say("duty.gone"));
  });
  showAsked(scope);
  const grid = await window.dash_ag_grid.getApiAsync(GRID);
  if (scope.open) keepGrid(grid, scope, words);
}

function row(alarm, words) {
  return {
    id: alarm.id,
    alarm,
    version: alarm.version,
    rank: rank(alarm.priority),
    raised_ms: Date.parse(alarm.raised_at),
    priority: alarm.priority,
    priority_text: priorityText(alarm.priority),
    priority_path: PRIORITY_SHAPES[alarm.priority],
    state: alarm.state,
    state_text: say(`state.${alarm.state}`),
    state_path: STATE_SHAPES[alarm.state],
    what: words.what(alarm),
    value_text: words.value(alarm),
    place: words.street(alarm),
    device_text: words.device(alarm),
    raised_text: moment(alarm.raised_at, live.now()),
    since_text: duration(live.now() - Date.parse(alarm.raised_at)),
    // An alarm that rose anew keeps who was first; it waits for somebody all the same.
    acked_text: alarm.acked_by && !isUnacked(alarm) ? `${alarm.acked_by} ${moment(alarm.acked_at, live.now())}` : "",
  };
}

function keepGrid(grid, scope, words) {
  const shown = new Map();
  let due = true;

  const show = () => {
    const wanted = new Map(desk.listed().map((alarm) => [alarm.id, alarm]));
    const change = { add: [], update: [], remove: [] };
    for (const [id, alarm] of wanted) {
      if (!shown.has(id)) change.add.push(row(alarm, words));
      else if (shown.get(id) !== alarm) change.update.push(row(alarm, words));
    }
    for (const id of shown.keys()) if (!wanted.has(id)) change.remove.push({ id });
    shown.clear();
    for (const [id, alarm] of wanted) shown.set(id, alarm);
    if (change.add.length || change.update.length || change.remove.length) grid.applyTransactionAsync(change, mark);
    if (desk.chosen && !desk.alarm) desk.choose(null);
  };

  const mark = () => {
    const node = desk.chosen ? grid.getRowNode(desk.chosen) : null;
    if (!node) return grid.deselectAll();
    node.setSelected(true, true);
    grid.ensureNodeVisible(node);
  };

  const age = () => {
    for (const node of grid.getRenderedNodes()) {
      const since = duration(live.now() - node.data.raised_ms);
      if (node.data.since_text !== since) node.setDataValue("since_text", since);
    }
  };

  for (const type of ["snapshot", "alarm"]) scope.listen(live, type, () => (due = true));
  scope.listen(desk, "filter", show);
  scope.listen(desk, "choose", mark);
  const click = (event) => desk.choose(event.data.id, { open: true });
  grid.addEventListener("rowClicked", click);
  scope.add(() => grid.isDestroyed() || grid.removeEventListener("rowClicked", click));
  // What is acknowledged is what stands in the row, not what arrived since.
  desk.displayed = (id) => grid.getRowNode(id)?.data.alarm;
  scope.every(250, () => {
    if (due) show();
    due = false;
  });
  scope.every(1000, age);
  show();
}

/** The chosen alarm as it is displayed, or nothing and a notice. */
function displayedAlarm() {
  const alarm = desk.chosen ? (desk.displayed?.(desk.chosen) ?? desk.alarm) : null;
  if (!alarm) toast(say("duty.none_chosen"));
  return alarm;
}

export function acknowledgeChosen(words) {
  const alarm = displayedAlarm();
  if (!alarm) return;
  if (alarm.state === "CLOSED") return toast(say("duty.gone"));
  acknowledge(alarm, `${words.what(alarm)} · ${words.street(alarm)}`, document.getElementById("ack-comment")?.value.trim());
}

function act(key, words) {
  const alarm = displayedAlarm();
  if (!alarm) return;
  const found = actOf(key, alarm);
  if (found) beginAct(found, alarm, words);
  else toast(say("duty.no_act"));
}

function listenToKeys(scope, words) {
  const acts = {
    j: () => desk.step(1),
    ArrowDown: () => desk.step(1),
    k: () => desk.step(-1),
    ArrowUp: () => desk.step(-1),
    a: () => acknowledgeChosen(words),
    ...Object.fromEntries(["c", "s", "d", "r"].map((key) => [key, () => act(key, words)])),
    m: () => sound.toggle(),
    h: () => settings.drill || handoverDialog(),
    "?": () => helpDialog(),
    Enter: () => desk.chosen && desk.choose(desk.chosen, { open: true }),
    Escape: () => desk.choose(desk.chosen, { open: false }),
  };
  scope.listen(document, "keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog");
    const pressing = event.key === "Enter" && event.target.closest?.("a, button");
    if (typing || pressing || event.ctrlKey || event.metaKey || event.altKey || (event.repeat && event.key === "a")) return;
    const work = acts[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  });
}
