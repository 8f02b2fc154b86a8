// Curves of the selected tracks below the timeline: x, y and confidence, and a motion's residual; aligned with its frames.
import { make } from "./dom.js";

const ROW = 46, PAD = 5; // CSS pixels
const MOST = 12; // tracks that are drawn

export class Curves {
  constructor(host, parent) {
    this.host = host;
    this.root = make("div", "sm-curves", parent, { role: "img", "aria-label": host.t("Curves") });
    this.canvas = make("canvas", "sm-timeline-canvas", this.root);
    this.head = make("div", "sm-playhead sm-curvehead", this.root);
    this.context = this.canvas.getContext("2d");
    this.root.addEventListener("pointerdown", (event) => this.seek(event));
    this.root.addEventListener("pointermove", (event) => event.buttons === 1 && this.seek(event));
    this.update();
  }

  // Which rows there are: {name, values(source, id, frame)}.
  rows() {
    const { host } = this;
    const rows = ["x", "y", "confidence"].map((name) => ({ name, of: (place) => place[name] }));
    if (host.model.motionData?.value?.residual && host.model.motion(host.options)) rows.push({ name: "residual" });
    return rows;
  }

  get shown() {
    const { options, model } = this.host;
    const motion = model.motion?.(options) && model.motionData.value?.residual;
    return options.curves && Boolean(model.frames) && ((options.selected.length > 0 && Boolean(model.refined?.value)) || Boolean(motion));
  }

  update() {
    this.root.hidden = !this.shown;
    this.redraw();
  }

  seek(event) {
    const x = event.clientX - this.root.getBoundingClientRect().left;
    if (x >= this.host.timeline.gutter) this.host.seek(this.host.timeline.frameOf(x));
  }

  place() {
    const { timeline, frame } = this.host;
    const x = timeline.xOf(frame) + timeline.perFrame / 2;
    this.head.style.transform = `translateX(${x >= timeline.gutter ? x : -99}px)`;
  }

  redraw() {
    if (this.waiting || this.root.hidden) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  draw() {
    const { context, host } = this;
    const rows = this.rows();
    const [width, height] = [this.root.clientWidth, rows.length * ROW];
    if (!width || this.root.hidden) return;
    const density = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(width * density), Math.round(height * density)];
    this.canvas.style.height = this.head.style.height = `${height}px`;
    const style = getComputedStyle(this.root);
    this.colour = (name) => style.getPropertyValue(`--sm-${name}`).trim();
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = this.colour("panel");
    context.fillRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    const points = host.model.selected(host.options).slice(0, MOST);
    rows.forEach((row, index) => this.row(row, index * ROW, width, points));
    this.place();
  }

  // The frames in the window, at most one a pixel.
  frames(width) {
    const { timeline, model } = this.host;
    const step = Math.max(1, Math.floor(1 / timeline.perFrame));
    const first = Math.max(0, Math.floor(timeline.scroll / step) * step);
    const last = Math.min(model.frames - 1, Math.ceil(timeline.scroll + width / timeline.perFrame));
    return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, index) => first + index * step);
  }

  row(row, top, width, points) {
    const { context, host } = this;
    const { timeline } = host;
    const frames = this.frames(width);
    const lines = row.name === "residual" ? this.residual(frames) : this.tracks(row, frames, points);
    const values = lines.flatMap(({ values: some }) => some).filter((value) => value !== null);
    const [low, high] = this.limits(row.name, values);
    context.fillStyle = this.colour("bg");
    context.fillRect(timeline.gutter, top + 1, width - timeline.gutter, ROW - 2);
    context.save();
    context.beginPath();
    context.rect(timeline.gutter, top, width - timeline.gutter, ROW);
    context.clip();
    const yOf = (value) => top + ROW - PAD - ((value - low) / (high - low)) * (ROW - 2 * PAD);
    for (const line of lines) this.line(line, frames, yOf);
    context.restore();
    this.label(row.name, low, high, top, values.length > 0);
  }

  limits(name, values) {
    if (name === "confidence") return [0, 1];
    let [low, high] = name === "residual" ? [0, 0.5] : [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (!Number.isFinite(low)) return [0, 1];
    return high - low < 1 && name !== "residual" ? [low - 0.5, high + 0.5] : [low, high];
  }

  // A faint line for the raw track where what is shown is another one; where a point is not seen, the line is faint too.
  tracks({ of }, frames, points) {
    const { model, options } = this.host;
    const shown = model.tracks(options), raw = options.raw ? null : model.raw();
    const line = (data, point, seen, look) => ({ ...look, colour: point.colour, values: frames.map((frame) => {
      const place = data.at(point.id, frame);
      return place && (!seen || place.seen) ? of(place) : null;
    }) });
    return points.flatMap((point) => [
      ...(raw ? [line(raw, point, true, { opacity: 0.4, dash: [3, 3] })] : []),
      ...(shown ? [line(shown, point, false, { opacity: 0.3 }), line(shown, point, true, { opacity: 1 })] : []),
    ]);
  }

  residual(frames) {
    const { residual, first } = this.host.model.motionData.value;
    return [{ colour: "#e0b400", opacity: 1, values: frames.map((frame) => residual[frame - first] ?? null) }];
  }

  line({ colour, opacity, dash = [], values }, frames, yOf) {
    const { context } = this;
    const { timeline } = this.host;
    context.globalAlpha = opacity;
    context.strokeStyle = colour;
    context.setLineDash(dash);
    context.lineWidth = 1.5;
    context.beginPath();
    let down = false;
    values.forEach((value, index) => {
      const x = timeline.xOf(frames[index]) + timeline.perFrame / 2;
      if (value !== null) context[down ? "lineTo" : "moveTo"](x, yOf(value));
      if (value !== null && !down) context.lineTo(x + 0.5, yOf(value));
      down = value !== null;
    });
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  label(name, low, high, top, filled) {
    const { context, host } = this;
    context.fillStyle = this.colour("text");
    context.fillText(host.t(name), 6, top + ROW / 2);
    if (!filled) return;
    context.fillStyle = this.colour("dim");
    context.textAlign = "right";
    const digits = name === "x" || name === "y" ? 0 : 1;
    context.fillText(high.toFixed(digits), host.timeline.gutter - 4, top + PAD + 5);
    context.fillText(low.toFixed(digits), host.timeline.gutter - 4, top + ROW - PAD - 4);
    context.textAlign = "left";
  }

  destroy() { cancelAnimationFrame(this.waiting); }
}
