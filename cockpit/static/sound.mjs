// A tone for new P1 and P2 alarms. A browser may forbid sound until somebody clicks: the state is always shown.

const KEPT = "citydeck_sound";
const TONES = { P1: [880, 660, 880], P2: [660, 520] };
const TONE_S = 0.18;

class Sound extends EventTarget {
  constructor() {
    super();
    this.wanted = localStorage.getItem(KEPT) !== "off";
    this.context = null;
    // Any gesture will do; until then `state` says that the desk is silent.
    for (const type of ["pointerdown", "keydown"]) {
      document.addEventListener(type, () => this.wanted && this.wake(), { once: true, capture: true });
    }
    this.wake();
  }

  get state() {
    if (!this.wanted) return "off";
    return this.context?.state === "running" ? "on" : "blocked";
  }

  async wake() {
    if (!this.wanted) return;
    this.context ??= new AudioContext();
    this.context.onstatechange = () => this.dispatchEvent(new Event("change"));
    // resume() never settles while it is forbidden: do not wait for it.
    this.context.resume();
    this.dispatchEvent(new Event("change"));
  }

  toggle() {
    if (this.state === "on") this.wanted = false;
    else this.wanted = true;
    localStorage.setItem(KEPT, this.wanted ? "on" : "off");
    if (this.wanted) this.wake();
    this.dispatchEvent(new Event("change"));
  }

  announce(priority) {
    if (this.state !== "on" || !TONES[priority]) return;
    TONES[priority].forEach((pitch, i) => {
      const start = this.context.currentTime + i * TONE_S * 1.3;
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.25, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + TONE_S);
      tone.connect(volume).connect(this.context.destination);
      tone.start(start);
      tone.stop(start + TONE_S);
    });
  }
}

export const sound = new Sound();
