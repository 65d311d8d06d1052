// The one connection of a page to /ws/live: a snapshot, then ticks, alarms and beats; it comes back for ever. A page whose
// window stands in the past has none: it asks once for the city of that instant, and nothing of it moves.
//
// Promise to the pages: what they read here is either fresh, or `live.stale` says since when it is not. A gap in the
// sequence, an overflow on the server or five silent seconds end the connection; the next one starts with a snapshot.

import { get, socketAddress } from "./api.mjs";
import { ended } from "./session.mjs";
import { timeWindow } from "./time_window.mjs";
import { byUrgency } from "./urgency.mjs";

const WATCHDOG_MS = 5_000;
const OPENING_MS = 12_000;
const STALE_MS = 10_000;
const FORETOLD_MS = 2_500;
const BACKOFF_MS = [500, 5_000];
const KEPT_PASSAGES = 60;
const LOG_IN_AGAIN = 4401;

export class Live extends EventTarget {
  constructor(socket) {
    super();
    this.address = socket;
    this.devices = new Map();
    this.online = new Map();
    this.alarms = new Map();
    this.passages = [];
    this.summary = null;
    this.ready = false;
    this.filling = false;
    this.stale = false;
    this.heardAt = Date.now();
    this.dataAt = null;
    this.newsAt = null;
    this.offset = 0;
    this.markAt = this.heardAt;
    this.replay = null;
    this.reached = 0;
    this.seq = null;
    this.assets = null;
    this.boot = null;
    this.wait = BACKOFF_MS[0];
    this.socket = null;
    this.past = null;
    this.problem = "";
    if (timeWindow.past) return void this.recall();
    this.connect();
    this.watching = setInterval(() => this.watch(), 1_000);
  }

  /** Listen no more. */
  stop() {
    clearInterval(this.watching);
    this.stopped = true;
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    this.socket = null;
  }

  /** Server time in epoch milliseconds: elapsed times do not depend on the screen's clock. */
  now() {
    if (timeWindow.past && timeWindow.at !== null) return timeWindow.at;
    const now = this.at(Date.now());
    // How fast a replay goes is known a little late; its clock may wait, and never runs back.
    if (this.replay) this.reached = Math.max(this.reached, now);
    return this.replay ? this.reached : now;
  }

  /** The server's time at an instant of this screen; in a replay it may pass faster, or stand still. */
  at(here) {
    if (!this.replay) return here + this.offset;
    return this.markAt + this.offset + Math.min(here - this.markAt, FORETOLD_MS) * this.replay.rate;
  }

  /** The instant the picture stands at, by the server's clock: the last message, or the last the cockpit itself heard. */
  lastAt() {
    const heard = this.at(this.heardAt);
    return this.dataAt === null ? heard : Math.min(heard, this.dataAt);
  }

  value(device, field) {
    return this.devices.get(device)?.[field]?.value;
  }

  /** Whether the readings of this instant are kept no more: of values, and of who was online, nothing is known. */
  get gone() {
    return this.past?.values_kept === false;
  }

  openAlarms() {
    return [...this.alarms.values()].sort(byUrgency);
  }

  async recall() {
    try {
      const found = await get("past", { at: timeWindow.given });
      this.begin(found);
      this.passages = found.passages;
      this.past = found.past;
      this.problem = "";
      this.complete();
    } catch (error) {
      if (error.status === 401) return ended();
      this.problem = error.message;
      this.tell("state");
      // Of an instant that is refused nobody will ever tell; a server that is away comes back.
      if (!error.status || error.status >= 500) setTimeout(() => this.recall(), BACKOFF_MS[1]);
    }
  }

  connect() {
    if (this.stopped) return;
    const socket = new WebSocket(this.address);
    this.socket = socket;
    this.openedAt = Date.now();
    this.seq = null;
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(JSON.parse(message.data));
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.again();
      if (event.code === LOG_IN_AGAIN) ended();
    };
  }

  again() {
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
    setTimeout(() => this.connect(), Math.min(this.wait * (0.8 + Math.random() * 0.4), BACKOFF_MS[1]));
    this.wait = Math.min(this.wait * 2, BACKOFF_MS[1]);
  }

  watch() {
    const now = Date.now();
    // A server to which every wall comes back at once needs a while for so many snapshots: who asked is patient.
    const patience = this.heardAt > this.openedAt ? WATCHDOG_MS : OPENING_MS;
    if (this.socket && now - Math.max(this.heardAt, this.openedAt) > patience) this.again();
    const stale = now - Math.min(this.heardAt, this.newsAt ?? this.heardAt) > STALE_MS;
    if (stale !== this.stale) {
      this.stale = stale;
      this.tell("state");
    }
  }

  receive(message) {
    this.heardAt = Date.now();
    // A sequence of its own per connection; parts of a snapshot may come without numbers.
    if (Number.isInteger(message.seq)) {
      if (!message.type.startsWith("snapshot") && this.seq !== null && message.seq !== this.seq + 1) return this.again();
      this.seq = message.seq;
    }
    // A cockpit that beats while its collector is dead would show an old city as a live one.
    if (message.type === "beat") {
      this.dataAt = Number.isFinite(message.data_at) ? message.data_at : null;
      // A moment of ours is many seconds of a replay that runs fast.
      const haste = Math.max(1, message.replay?.rate ?? 1);
      this.newsAt = this.dataAt === null ? null : this.heardAt - (message.now - this.dataAt) / haste;
    }
    if (Number.isFinite(message.now)) {
      this.offset = message.now - this.heardAt;
      this.markAt = this.heardAt;
      this.replay = message.replay ?? null;
    }
    this.handle(message);
    if (this.stale) this.watch();
  }

  handle(message) {
    // A snapshot may come in parts; pages hear of it once, when it is whole.
    if (message.type === "snapshot") return this.begin(message);
    if (message.type === "snapshot_part") return this.merge(message);
    if (this.filling) this.complete();
    switch (message.type) {
      case "tick":
        this.merge(message);
        return this.tell("tick", message);
      case "alarm":
        return this.change(message.alarm);
      case "passage":
        this.passages.unshift(message.passage);
        this.passages.length = Math.min(this.passages.length, KEPT_PASSAGES);
        return this.tell("passage", message.passage);
      case "summary":
        this.summary = message;
        return this.tell("summary");
    }
  }

  begin(message) {
    // A new program behind the same address: take its pages too, once, instead of mixing old and new.
    const fresh = this.boot !== null && message.boot !== this.boot && message.asset_version !== this.assets;
    if (fresh) return window.location.reload();
    this.boot = message.boot;
    this.assets = message.asset_version;
    this.wait = BACKOFF_MS[0];
    this.devices.clear();
    this.online.clear();
    this.alarms = new Map((message.alarms ?? []).map((alarm) => [alarm.id, alarm]));
    this.summary = message.summary ?? null;
    this.merge(message);
    this.filling = true;
  }

  complete() {
    this.filling = false;
    this.ready = true;
    this.tell("snapshot");
    this.tell("summary");
    this.tell("state");
  }

  merge(message) {
    for (const [id, fields] of Object.entries(message.devices ?? {})) {
      const known = this.devices.get(id);
      if (known) Object.assign(known, fields);
      else this.devices.set(id, fields);
    }
    for (const [id, online] of Object.entries(message.online ?? {})) this.online.set(id, online);
  }

  change(alarm) {
    const before = this.alarms.get(alarm.id);
    // The version only grows: a late copy must not bring an old state back.
    if (before && before.version > alarm.version) return;
    if (alarm.state === "CLOSED") this.alarms.delete(alarm.id);
    else this.alarms.set(alarm.id, alarm);
    this.tell("alarm", { alarm, before });
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

export const live = new Live(socketAddress("ws/live"));
