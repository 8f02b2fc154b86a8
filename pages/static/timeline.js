// The timeline: ruler, thumbnails, the lanes of the kind of session, in and out points. Drawn on a canvas (thousands
// of frames are a few intervals); the playhead is an element of its own, so that playback redraws nothing.
import { Loader } from "./loader.js";
import { keyframes } from "./clip.js";

const RULER = 22, THUMBS = 40, LANE = 20, PAD = 4, INSET = 6; // CSS pixels
const THUMB_BUDGET = 24 << 20;

export class Timeline {
  constructor(host, make) {
    this.host = host;
    this.root = make("div", "sm-timeline");
    this.canvas = make("canvas", "sm-timeline-canvas", this.root);
    this.head = make("div", "sm-playhead", this.root);
    Object.assign(this.root, { tabIndex: 0 });
    this.root.setAttribute("role", "slider");
    this.context = this.canvas.getContext("2d");
    this.scale = 0; // CSS pixels per frame; 0: the whole clip fits
    this.scroll = 0; // frames left of the window
    this.loader = new Loader({ budget: THUMB_BUDGET, slots: 2, onload: () => this.redraw() });
    this.loader.retryMs = 1000;
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) this.canvas.addEventListener(type, () => this.up());
    this.root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.sizes = new ResizeObserver(() => this.redraw());
    this.sizes.observe(this.root);
  }

  get gutter() { return this.root.clientWidth < 520 ? 80 : 96; }
  get left() { return this.gutter + INSET; }
  get width() { return Math.max(1, this.root.clientWidth - this.gutter - INSET - PAD); }
  get fitted() { return this.width / Math.max(1, this.host.model.frames); }
  get perFrame() { return Math.max(this.scale, this.fitted); }
  get height() { return RULER + THUMBS + LANE * this.lanes.length + PAD; }
  get lanes() { return this.host.model.lanes(this.host); }
  xOf(frame) { return this.left + (frame - this.scroll) * this.perFrame; }
  frameOf(x) { return this.host.model.clamp(Math.floor((x - this.left) / this.perFrame + this.scroll)); }
  laneTop(index) { return RULER + THUMBS + LANE * index; }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  reset() {
    this.loader.clear();
    this.scale = this.scroll = 0;
    this.redraw();
  }

  // Move the playhead; turn the page when it leaves the window.
  setFrame(frame, spoken) {
    const span = this.width / this.perFrame;
    if (!this.drag && (frame < this.scroll || frame >= this.scroll + span)) this.scrollTo(frame - span * 0.1);
    const x = this.xOf(frame) + this.perFrame / 2;
    const shown = x >= this.gutter && this.host.model.frames;
    this.head.style.transform = `translateX(${shown ? x : -99}px)`;
    for (const [name, value] of [["min", 0], ["max", Math.max(0, this.host.model.frames - 1)], ["now", frame], ["text", spoken]])
      this.root.setAttribute(`aria-value${name}`, value);
  }

  scrollTo(frame) {
    const last = this.host.model.frames - this.width / this.perFrame;
    this.scroll = Math.max(0, Math.min(last, frame));
    this.redraw();
  }

  wheel(event) {
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const move = event.deltaX || delta;
      return this.scrollTo(this.scroll + move / this.perFrame), this.place();
    }
    const x = event.clientX - this.root.getBoundingClientRect().left;
    const under = (x - this.left) / this.perFrame + this.scroll;
    this.scale = Math.max(this.fitted, Math.min(64, this.perFrame * Math.exp(-delta * 0.0025)));
    this.scrollTo(under - (x - this.left) / this.perFrame);
    this.place();
  }

  place() {
    const x = this.xOf(this.host.frame) + this.perFrame / 2;
    this.head.style.transform = `translateX(${x >= this.gutter ? x : -99}px)`;
    this.host.below?.place();
  }

  // What lies under a pointer: a handle, a keyframe, a lane's label, or a frame.
  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const range = this.host.range;
    if (range && y < RULER + THUMBS) {
      const grips = [["in", this.xOf(range[0])], ["out", this.xOf(range[1])]].filter(([, at]) => Math.abs(at - x) < 7);
      grips.sort((a, b) => Math.abs(a[1] - x) - Math.abs(b[1] - x));
      if (grips.length) return { kind: grips[0][0], x };
    }
    const lane = Math.floor((y - RULER - THUMBS) / LANE);
    const object = this.lanes[lane];
    if (object?.choose && x < this.gutter) return { kind: "label", object, x };
    const near = object && this.nearKeyframe(object, x);
    return near === null || near === undefined ? { kind: "frame", x } : { kind: "key", frame: near, x };
  }

  // What a lane's tooltip says: the frame under the pointer, and which engine made what is there.
  tip(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const { host } = this;
    const lane = this.lanes[Math.floor((y - RULER - THUMBS) / LANE)];
    if (!lane || x < this.left) return "";
    const frame = this.frameOf(x), text = lane.tip(frame);
    return text && `${host.t("Frame")} ${frame}: ${text}`;
  }

  nearKeyframe(object, x) {
    const at = (frame) => this.xOf(frame) + this.perFrame / 2;
    let best = null;
    for (const frame of keyframes(object))
      if (Math.abs(at(frame) - x) < 8 && (best === null || Math.abs(at(frame) - x) < Math.abs(at(best) - x))) best = frame;
    return best;
  }

  down(event) {
    if (!this.host.model.frames || event.button !== 0) return;
    const hit = this.hit(event);
    this.root.focus({ preventScroll: true });
    if (hit.kind === "label") return this.host.change(hit.object.choose);
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // see Pointer.capture
    }
    this.drag = hit.kind;
    if (hit.kind === "key") this.drag = null;
    if (hit.kind === "key") this.host.seek(hit.frame);
    if (hit.kind === "frame") this.host.seek(this.frameOf(hit.x));
  }

  move(event) {
    if (!this.host.model.frames) return;
    if (!this.drag) {
      const { kind } = this.hit(event);
      this.canvas.title = this.tip(event);
      this.canvas.style.cursor = { in: "ew-resize", out: "ew-resize", key: "pointer", label: "pointer" }[kind] ?? "default";
      return;
    }
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    if (this.drag === "frame") return this.host.seek(this.frameOf(x));
    const edge = Math.round((x - this.left) / this.perFrame + this.scroll);
    this.host.dragRange(this.drag, edge);
  }

  up() {
    if (this.drag === "in" || this.drag === "out") this.host.reportRange();
    this.drag = null;
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.root.clientWidth, this.height];
    if (!width) return;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      this.canvas.style.height = `${height}px`;
    }
    this.head.style.height = `${height}px`;
    const style = getComputedStyle(this.root);
    this.colour = (name) => style.getPropertyValue(`--sm-${name}`).trim();
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colour("panel");
    context.fillRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    if (!this.host.model.frames) {
      this.head.style.transform = "translateX(-99px)";
      return;
    }
    context.save();
    context.beginPath();
    context.rect(this.gutter, 0, width - this.gutter, height);
    context.clip();
    this.drawThumbs(width);
    const lanes = this.lanes.map((lane) => (lane.colour.startsWith("#") ? lane : { ...lane, colour: this.colour(lane.colour) }));
    lanes.forEach((lane, index) => this.drawLane(lane.lane, this.laneTop(index), lane.colour));
    this.drawRuler(width);
    this.drawRange(height);
    context.restore();
    this.drawLabels(lanes, height);
    this.host.below?.redraw();
    this.setFrame(this.host.frame, this.root.getAttribute("aria-valuetext") ?? "");
  }

  drawRuler(width) {
    const { context } = this;
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];
    const step = steps.find((one) => one * this.perFrame >= 64) ?? 200000;
    const small = steps.find((one) => one * this.perFrame >= 6 && step % one === 0) ?? step;
    const last = Math.min(this.host.model.frames - 1, this.scroll + width / this.perFrame);
    for (let frame = Math.floor(this.scroll / small) * small; frame <= last; frame += small) {
      const x = Math.round(this.xOf(frame) + this.perFrame / 2) + 0.5;
      const large = frame % step === 0;
      context.fillStyle = this.colour(large ? "dim" : "line");
      context.fillRect(x - 0.5, large ? RULER - 8 : RULER - 4, 1, large ? 8 : 4);
      if (large) context.fillText(String(frame), x + 4, RULER / 2 - 1);
    }
  }

  // As many thumbnails as fit, at round multiples, so that a little zoom asks for few new ones.
  drawThumbs(width) {
    const { model } = this.host;
    const { context } = this;
    const wide = Math.max(16, ((THUMBS - PAD) * model.view.width * (model.view.pixel_aspect ?? 1)) / model.view.height);
    const steps = Array.from({ length: 24 }, (_, power) => [2 ** power, 3 * 2 ** power]).flat().sort((a, b) => a - b);
    const step = steps.find((one) => one * this.perFrame >= wide) ?? 1;
    const wanted = [];
    const last = Math.min(model.frames, this.scroll + width / this.perFrame);
    for (let frame = Math.floor(this.scroll / step) * step; frame < last; frame += step) {
      const url = model.thumbUrl(frame);
      const bitmap = this.loader.get(url);
      const x = this.xOf(frame);
      const room = Math.min(wide, (Math.min(frame + step, model.frames) - frame) * this.perFrame);
      context.fillStyle = this.colour("bg");
      context.fillRect(x, RULER, room - 1, THUMBS - PAD);
      if (bitmap) {
        const part = room / wide;
        context.drawImage(bitmap, 0, 0, bitmap.width * part, bitmap.height, x, RULER, Math.max(1, room - 1), THUMBS - PAD);
      }
      wanted.push(url);
    }
    this.loader.want(wanted);
  }

  drawLane(lane, top, colour) {
    const { context } = this;
    context.fillStyle = this.colour("bg");
    context.fillRect(this.gutter, top + 1, this.width + INSET + PAD, LANE - 2);
    let lastDiamond = -9;
    for (const [start, stop, kind] of lane) {
      const [x, end] = [this.xOf(start), this.xOf(stop)];
      if (end < this.gutter || x > this.left + this.width + PAD) continue;
      const wide = Math.max(1, end - x - (this.perFrame > 8 ? 1 : 0));
      if (kind === "keyframe") {
        for (let frame = start; frame < stop; frame++) {
          const at = this.xOf(frame) + this.perFrame / 2;
          if (at - lastDiamond < 2) continue;
          lastDiamond = at;
          this.diamond(at, top + LANE / 2, colour);
        }
      } else if (kind === "stale") this.hatch(x, top + 5, wide, LANE - 10, colour);
      else {
        context.fillStyle = colour;
        context.globalAlpha = 0.8;
        context.fillRect(x, top + 5, wide, LANE - 10);
        context.globalAlpha = 1;
      }
    }
  }

  diamond(x, y, colour) {
    const { context } = this;
    const reach = 5.5;
    context.beginPath();
    context.moveTo(x, y - reach);
    context.lineTo(x + reach, y);
    context.lineTo(x, y + reach);
    context.lineTo(x - reach, y);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = this.colour("text");
    context.lineWidth = 1.25;
    context.stroke();
  }

  hatch(x, y, width, height, colour) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = colour;
    context.globalAlpha = 0.3;
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 0.9;
    context.lineWidth = 1.5;
    context.beginPath();
    const from = Math.max(x, this.gutter - 20);
    const to = Math.min(x + width, this.gutter + this.width + 20);
    for (let at = from - (from % 6) - height; at < to; at += 6) {
      context.moveTo(at, y + height);
      context.lineTo(at + height, y);
    }
    context.stroke();
    context.restore();
  }

  drawRange(height) {
    const range = this.host.range;
    if (!range) return;
    const { context } = this;
    const [x, end] = [this.xOf(range[0]), this.xOf(range[1])];
    context.fillStyle = this.colour("shade");
    context.fillRect(this.gutter, 0, Math.max(0, x - this.gutter), height);
    context.fillRect(end, 0, this.left + this.width + PAD, height);
    context.fillStyle = this.colour("accent");
    context.fillRect(x, 0, end - x, 2);
    for (const [at, way] of [[x, 1], [end, -1]]) {
      context.fillRect(at - (way < 0 ? 2 : 0), 0, 2, RULER + THUMBS - PAD);
      context.fillRect(at - (way < 0 ? 7 : 0), 0, 7, 9);
    }
  }

  drawLabels(lanes, height) {
    const { context } = this;
    context.fillStyle = this.colour("panel");
    context.fillRect(0, 0, this.gutter - 1, height);
    const label = (text, index, colour, current) => {
      const top = this.laneTop(index);
      if (current) {
        context.fillStyle = this.colour("line");
        context.fillRect(0, top + 1, this.gutter - 3, LANE - 2);
      }
      context.fillStyle = colour;
      context.fillRect(5, top + LANE / 2 - 4, 8, 8);
      context.fillStyle = this.colour(current ? "text" : "dim");
      context.fillText(this.cut(text), 18, top + LANE / 2 + 0.5);
    };
    lanes.forEach(({ name, colour, current }, index) => label(name, index, colour, current));
  }

  cut(text, room = this.gutter - 24) {
    if (this.context.measureText(text).width <= room) return text;
    let length = text.length;
    while (length > 1 && this.context.measureText(`${text.slice(0, length)}…`).width > room) length -= 1;
    return `${text.slice(0, length)}…`;
  }

  destroy() {
    this.sizes.disconnect();
    this.loader.destroy();
    cancelAnimationFrame(this.waiting);
  }
}

