// What the wall shows at this moment: the scene whose turn it is, and the urgent alarm that has taken over, if any.

class Stage extends EventTarget {
  constructor() {
    super();
    this.scene = null;
    this.alarm = null;
  }

  /** The kind of device in front: that of the urgent alarm, else of the scene; null for the whole city. */
  get kind() {
    return this.alarm?.kind ?? this.scene?.kind ?? null;
  }

  /** What the map is about: an alarm, or the scene by its key. */
  get topic() {
    return this.alarm ? "alarm" : (this.scene?.key ?? "city");
  }

  show(scene) {
    this.scene = scene;
    this.dispatchEvent(new Event("scene"));
  }

  /** An alarm that takes over the wall, or null when it is over. */
  focus(alarm) {
    if (alarm?.id === this.alarm?.id) return;
    this.alarm = alarm;
    this.dispatchEvent(new Event("scene"));
  }
}

export const stage = new Stage();
