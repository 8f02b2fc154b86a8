// What lies over the picture on every page: captions, and what a pointer draws. Kinds of sessions add their own.
export class BaseOverlay {
  constructor(host) {
    this.host = host;
    this.notes = {}; // caption by a side's note
  }

  clear() {}
  settle() {}
  cancel() {}
  drawPending() {}
  // What lies under (px, py) and can be dragged: {x, y, move(x, y), drop(x, y), click(gesture), cancel()}, in source pixels.
  grip() { return null; }
  clicked() {}
  boxed() {}
  stroked() {}

  // One line in a corner each: what is shown, and what is being worked on.
  caption() {
    const { host } = this;
    const { scene, model } = host;
    const note = scene?.sides.map((side) => side.note).find(Boolean);
    this.say(host.caption, note ? host.t(this.notes[note]) : "");
    host.caption.dataset.note = note ?? "";
    const waits = !host.playing && host.scenes.isWaiting(host.frame);
    clearTimeout(this.late);
    const busy = scene && model.view && model.busy(scene.frame) ? host.t("Segmenting…") : "";
    this.say(host.badge, busy);
    if (waits && !busy) this.late = setTimeout(() => this.wait(), 300); // short waits are not worth a word
  }

  wait() {
    const { host } = this;
    if (host.gone || !host.scenes.isWaiting(host.frame)) return;
    const extracting = host.frame >= host.model.view.extracted;
    const text = extracting ? host.t("Waiting for frame {frame}…").replace("{frame}", host.frame) : host.t("Loading…");
    this.say(host.badge, text);
  }

  say(element, text) {
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  }
}
