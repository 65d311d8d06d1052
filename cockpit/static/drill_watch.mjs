// The exercise that runs now, if one does: asked for again and again, for whoever listens; and the acts on it.

import { get, post } from "./api.mjs";
import { actDialog } from "./act_dialog.mjs";
import { named, say } from "./texts.mjs";
import { toast } from "./toast.mjs";

const RUNNING_MS = 2_000;
const IDLE_MS = 5_000;

class DrillWatch extends EventTarget {
  constructor() {
    super();
    this.drill = null;
    this.known = false;
    this.askedAt = 0;
    this.asking = false;
  }

  /** To be called every second; asks when it is time. */
  tick() {
    const wait = this.drill || !this.known ? RUNNING_MS : IDLE_MS;
    if (!document.hidden && !this.asking && Date.now() - this.askedAt >= wait) this.look();
  }

  async look() {
    this.asking = true;
    try {
      const { items } = await get("drills", { state: "running", limit: 1 });
      this.drill = items[0] ?? null;
      this.known = true;
      this.dispatchEvent(new Event("change"));
    } catch {
      // The page says by itself that nothing is heard; a drill that was running is not over by that.
    }
    this.askedAt = Date.now();
    this.asking = false;
  }
}

export const drillWatch = new DrillWatch();

/** Ask a leader, and end an exercise. */
export function endDrill(drill, after = () => {}) {
  actDialog({
    title: say("drill.end"),
    what: named(drill.name),
    ask: say("drill.end_ask"),
    send: async () => {
      const ended = await post(`drills/${encodeURIComponent(drill.id)}/end`);
      toast(say("drill.ended_now"));
      drillWatch.look();
      after(ended);
    },
  });
}
