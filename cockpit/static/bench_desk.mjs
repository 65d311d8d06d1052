// What the page of the bench shows: what there is to play, the runs, and the one that is chosen; and the acts on it.

import { address, get, post, remove } from "./api.mjs";
import { Asking } from "./asking.mjs";
import { logIn, sessions } from "./session.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";

class BenchDesk extends EventTarget {
  constructor() {
    super();
    this.sources = null;
    this.runs = [];
    this.chosen = new URLSearchParams(window.location.search).get("run");
    this.refused = null;
    this.ready = false;
    this.asking = new Asking((overtaken) => this.ask(overtaken));
    sessions.addEventListener("change", () => this.refused && this.load());
  }

  get run() {
    return this.runs.find((run) => run.id === this.chosen) ?? null;
  }

  /** Ask for what there is to play, and how the runs are. */
  async load() {
    try {
      this.sources = await get("bench/sources");
      this.refused = null;
    } catch (error) {
      this.refused = error;
    }
    await this.look();
  }

  /** Look how the runs are, unless somebody does so already. */
  look() {
    return this.asking.look();
  }

  async ask(overtaken) {
    try {
      const { items } = await get("bench/runs");
      if (overtaken()) return;
      this.runs = items;
      if (!this.run) this.chosen = items.at(-1)?.id ?? null;
      this.refused = null;
    } catch (error) {
      if (overtaken()) return;
      this.refused = error;
    }
    this.ready = true;
    this.tell();
  }

  choose(id) {
    this.chosen = id;
    this.tell();
  }

  /** Do it; a refusal is told in the reader's language. */
  async act(path, body = {}, { method = post } = {}) {
    try {
      const found = await method(path, body);
      await this.asking.asked;
      if (found?.id) this.chosen = found.id;
      await this.look();
      return found ?? true;
    } catch (error) {
      if (error.status === 401 && (await logIn(say("bench.log_in")))) return this.act(path, body, { method });
      toast(error.status ? error.message : say("login.unreachable"), { problem: true });
      return null;
    }
  }

  control(act, more = {}) {
    return this.run && this.act(`bench/runs/${this.run.id}/control`, { act, ...more });
  }

  remove() {
    return this.run && this.act(`bench/runs/${this.run.id}`, {}, { method: remove });
  }

  /** An address within the played city. */
  within(path) {
    return address(`${this.run.city.slice(1)}${path}`);
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }
}

export const benchDesk = new BenchDesk();
