// Playback by the clock: the frame that is due is asked for; what is not there in time is dropped, never slowed.
export class Player {
  constructor(host) {
    this.host = host;
    this.playing = false;
  }

  span() { return this.host.range ?? [0, this.host.model.frames]; }

  start() {
    const { host } = this;
    if (this.playing || host.model.frames < 2) return;
    const [first, stop] = this.span();
    if (host.frame < first || host.frame >= stop - 1) host.setFrame(first);
    this.playing = true;
    host.scenes.direction = 1;
    this.anchor();
    this.tick();
    host.refresh();
  }

  // From here on time counts from the frame one is on.
  anchor() {
    this.origin = performance.now();
    this.base = this.host.model.timeOf(this.host.frame);
  }

  moved() { this.seeked = true; }

  tick() {
    this.timer = requestAnimationFrame(() => {
      if (!this.playing) return;
      this.advance();
      if (this.playing) this.tick();
    });
  }

  advance() {
    const { host } = this;
    if (this.seeked) {
      this.seeked = false;
      this.anchor();
    }
    const [first, stop] = this.span();
    const end = host.model.timeOf(stop);
    const time = this.base + (performance.now() - this.origin) / 1000;
    if (time < end) {
      const due = Math.min(stop - 1, host.model.frameAt(time));
      if (due !== host.frame) host.setFrame(due);
      return;
    }
    if (!host.options.loop) return this.stop();
    host.setFrame(first);
    this.anchor();
  }

  // Rest on the frame that is seen.
  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.seeked = false;
    cancelAnimationFrame(this.timer);
    const { host } = this;
    if (host.scene && host.model.frames) host.setFrame(host.scene.frame);
    host.refresh();
  }
}
