// The controller of the stage: state, and who tells whom. Views of it: painter, marks, bars, timeline.
import { ACTIONS, belongsElsewhere, combination, SAYS_SPACE } from "./actions.js";
import { TransportBar } from "./bars.js";
import { Camera } from "./camera.js";
import { make } from "./dom.js";
import { Pointer } from "./input.js";
import { Painter } from "./painter.js";
import { Player } from "./player.js";
import { Scenes } from "./scenes.js";
import { Timeline } from "./timeline.js";

const REST_MS = 120;
const REPORT_MS = 200; // at most five reports of the frame a second, and one at rest

export class StageController {
  // kind: {Model, Overlay, Bar, Below?, options, modes(options)}: see kind_matting.js
  constructor(root, { texts, keys, server, prefix, emit, kind }) {
    Object.assign(this, { root, texts, emit, kind });
    this.keys = new Map(keys);
    this.server = new Set(server);
    this.options = { ...kind.options };
    this.model = new kind.Model(prefix);
    this.camera = new Camera();
    this.frame = 0;
    this.range = null;
    this.split = 0.5;
    this.spaceHeld = this.panned = false;
    this.scenes = new Scenes(this.model, () => this.refresh());
    this.player = new Player(this);
    this.overlay = new kind.Overlay(this);
    this.build();
    this.listen();
    window.__stage = root.__stage = this.probe();
  }

  build() {
    const { root } = this;
    root.replaceChildren();
    this.viewBar = new this.kind.Bar(this, root);
    this.window = make("div", "sm-window", root);
    this.canvas = make("canvas", "sm-canvas", this.window, { tabindex: 0, role: "application", "aria-label": this.t("Picture") });
    this.caption = make("div", "sm-caption", this.window, { role: "status" });
    this.badge = make("div", "sm-badge", this.window, { role: "status" });
    this.painter = new Painter(this.canvas);
    this.pointer = new Pointer(this.canvas, this);
    this.transport = new TransportBar(this, root);
    this.made = make("div", "sm-made", root);
    this.timeline?.destroy();
    this.timeline = new Timeline(this, (tag, name, parent = root) => make(tag, name, parent));
    this.timeline.root.setAttribute("aria-label", this.t("Timeline"));
    this.below?.destroy();
    this.below = this.kind.Below ? new this.kind.Below(this, root) : null;
    this.sizes?.disconnect();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.window);
    this.resize();
    this.refresh();
  }

  listen() {
    this.off = new AbortController();
    const { signal } = this.off;
    document.addEventListener("keydown", (event) => this.keyDown(event), { signal });
    document.addEventListener("keydown", (event) => this.enterDown(event), { signal, capture: true });
    document.addEventListener("keyup", (event) => this.keyUp(event), { signal });
    window.addEventListener("blur", () => { this.spaceHeld = false; }, { signal });
    this.themes = new MutationObserver(() => { this.redraw(); this.timeline.redraw(); this.below?.redraw(); });
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  // For tests and benchmarks: frame (asked for), shown (drawn, -1 for none), loaded(frame), step(n), seek, toScreen,
  // stats() of pictures, bytes, requests and draws.
  probe() {
    const host = this;
    return Object.defineProperties(this.model.probe?.(this) ?? {}, Object.getOwnPropertyDescriptors({
      get view() { return host.model.view; },
      get frame() { return host.frame; },
      get shown() { return host.scene?.frame ?? -1; },
      get playing() { return host.playing; },
      get options() { return { ...host.options }; },
      get range() { return host.range; },
      get zoom() { return host.camera.scale; },
      get labels() { return host.timeline.lanes.map(({ name }) => host.timeline.cut(name)); },
      loaded: (frame) => host.scenes.complete(host.scenes.sides(frame, host.modes())),
      step: (count) => host.seek(host.frame + count),
      seek: (frame) => host.seek(frame),
      run: (action) => host.run(action),
      toScreen: (x, y) => host.toScreen(x, y),
      stats() {
        const { cache, bytes, peak, loads, aborts, flights, latency } = host.scenes.loader;
        return { images: cache.size, bytes, peak, loads, aborts, inFlight: flights.size, latency,
          thumbs: host.timeline.loader.cache.size, thumbBytes: host.timeline.loader.bytes, draws: host.painter.draws };
      },
    }));
  }

  get scene() { return this.scenes.scene; }
  get playing() { return this.player.playing; }
  t(text) { return this.texts[text] ?? text; }
  tip(text, action) {
    const keys = [...this.keys].filter(([, name]) => name === action).map(([key]) => key);
    const shown = (key) => key.split("+").map((part) => (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1))).join("+");
    const signs = { Arrowleft: "←", Arrowright: "→" };
    const named = (key) => (key === "+" ? "+" : shown(key)).replace(/Arrowleft|Arrowright/, (name) => signs[name]);
    return keys.length ? `${this.t(text)} (${named(keys[0])})` : this.t(text);
  }

  modes() { return this.kind.modes(this.options); }
  splitX() { return this.split * this.canvas.width; }
  setSplit(split) { this.split = Math.max(0.02, Math.min(0.98, split)); }

  toScreen(x, y) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = this.camera.toView(x, y);
    return [box.left + (px * box.width) / this.canvas.width, box.top + (py * box.height) / this.canvas.height];
  }

  // Below the transport, when the picture rests; the line stays when it is empty, so that nothing jumps.
  showMade() {
    const text = this.model.view ? this.model.made(this) : "";
    if (this.made.textContent !== text) this.made.textContent = this.made.title = text;
  }

  // ---- what Python calls
  setTexts(texts) { this.texts = texts; this.build(); }

  setView(view) {
    const other = view?.id !== this.model.view?.id;
    if (other) this.pause();
    if (other) [this.frame, this.model.view] = [0, null];
    if (other) this.scenes.reset();
    this.model.view = view;
    this.model.changed(this);
    if (other) this.timeline.reset();
    if (other) this.overlay.clear();
    this.range = view?.range ? [...view.range] : null;
    this.scenes.loader.retryMs = view && view.extracted < view.frames ? 400 : 2000;
    if (view) this.camera.setSource(view.width, view.height, view.pixel_aspect ?? 1);
    if (view && other) this.camera.fit();
    this.frame = this.model.clamp(this.frame);
    this.overlay.settle();
    this.timeline.redraw();
    this.refresh();
  }

  setOptions(options) {
    Object.assign(this.options, options);
    this.model.changed(this);
    if (this.kind.laneOptions.some((name) => name in options)) this.timeline.redraw();
    this.below?.update();
    this.refresh();
  }

  goto(frame) { this.seek(frame); }

  run(action) {
    if (this.server.has(action)) this.report("action", { name: action });
    else if (Object.hasOwn(ACTIONS, action)) ACTIONS[action](this);
  }

  // ---- what the parts of the stage call
  change(options) {
    this.setOptions(options);
    this.report("options", options);
  }

  report(name, data) { this.emit(name, data); }

  seek(frame) {
    if (!this.model.frames) return;
    this.player.moved();
    this.setFrame(this.model.clamp(frame));
  }

  setFrame(frame) {
    if (frame === this.frame) return this.refresh();
    this.frame = frame;
    this.travel();
    this.refresh();
    this.timeline.setFrame(frame, this.spoken());
    this.below?.place();
    clearTimeout(this.resting);
    const wait = Math.max(0, (this.reportedAt ?? 0) + REPORT_MS - performance.now());
    this.resting = setTimeout(() => this.reportFrame(), REPORT_MS);
    if (wait === 0) this.reportFrame();
  }

  // While frames go by, drawing leaves out what only matters at rest.
  travel() {
    this.travelling = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { this.travelling = false; this.redraw(); }, REST_MS);
  }

  reportFrame() {
    clearTimeout(this.resting);
    this.reportedAt = performance.now();
    if (this.reported !== this.frame) this.report("frame", { frame: this.frame });
    this.reported = this.frame;
  }

  spoken() {
    return this.t("Frame {frame} of {count}").replace("{frame}", this.frame).replace("{count}", this.model.frames - 1);
  }

  play() { this.player.start(); }
  pause() { this.player.stop(); }

  setRange(range) {
    this.range = range && (range[0] > 0 || range[1] < this.model.frames) ? range : null;
    this.reportRange();
  }

  dragRange(end, edge) {
    const [start, stop] = this.range;
    const within = (value, low, high) => Math.max(low, Math.min(high, value));
    this.range = end === "in" ? [within(edge, 0, stop - 1), stop] : [start, within(edge, start + 1, this.model.frames)];
    this.timeline.redraw();
    this.refresh();
  }

  reportRange() {
    this.report("range", { start: this.range?.[0] ?? null, stop: this.range?.[1] ?? null });
    this.timeline.redraw();
    this.refresh();
  }

  scaleBrush(factor) {
    const radius = Math.max(0.5, Math.min(2000, this.options.brush_radius * factor));
    this.change({ brush_radius: Math.round(radius * 100) / 100 });
  }

  cancel() {
    this.pointer.cancel();
    this.overlay.cancel();
  }

  async setBackdropImage(file) {
    const image = await createImageBitmap(file).catch(() => null);
    if (!image) return this.change({ backdrop: "checker" });
    this.backdropImage?.close();
    this.backdropImage = image;
    this.change({ backdrop: "image" });
  }

  // ---- keys
  keyDown(event) {
    if (!this.root.isConnected || event.defaultPrevented || belongsElsewhere(event)) return;
    if (SAYS_SPACE(event)) {
      event.preventDefault();
      if (!event.repeat) [this.spaceHeld, this.panned] = [true, false];
      return;
    }
    const action = this.keys.get(combination(event));
    if (!action) return;
    event.preventDefault();
    const repeats = /^(back|forward|zoom|brush|undo|redo)/.test(action);
    if (!event.repeat || repeats) this.run(action);
  }

  // Buttons of the page take every Enter for a press, with Ctrl too, and hand none on: ours have to be heard before.
  enterDown(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    this.keyDown(event);
    if (event.defaultPrevented) event.stopPropagation();
  }

  // Space plays when it comes up, unless the picture was moved with it.
  keyUp(event) {
    if (event.key !== " " || !this.spaceHeld) return;
    this.spaceHeld = false;
    event.preventDefault();
    if (!this.panned && this.model.frames) this.run(this.keys.get("space") ?? "play");
  }

  // ---- drawing
  resize() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.window.clientWidth, this.window.clientHeight].map((size) => Math.max(1, Math.round(size * ratio)));
    if (this.canvas.width === width && this.canvas.height === height) return;
    [this.canvas.width, this.canvas.height] = [width, height];
    this.camera.resize(width, height);
    this.paint(); // at once: a canvas that was resized is empty
  }

  // Look for pictures once per drawn frame of the screen, however many reasons there are.
  refresh() {
    this.stale = true;
    this.redraw();
  }

  redraw() {
    if (this.waiting || this.gone) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.paint();
    });
  }

  paint() {
    if (this.stale && this.model.view) this.scenes.ask(this.frame, this.modes(), { playing: this.playing, range: this.range });
    this.stale = false;
    this.overlay.settle();
    const background = getComputedStyle(this.root).getPropertyValue("--sm-bg").trim() || "#141414";
    const { scene, camera, options, model, backdropImage, split } = this;
    this.painter.draw({ scene, camera, options, model, backdropImage, split, background, still: !this.playing && !this.travelling,
      pending: (context, mode, frame) => this.overlay.drawPending(context, mode, frame) });
    this.overlay.draw(this.painter.context);
    this.overlay.caption();
    if (!this.playing && !this.travelling) this.showMade();
    this.viewBar.update();
    this.transport.update();
  }

  destroy() {
    this.gone = true;
    this.pause();
    this.off.abort();
    for (const observer of [this.sizes, this.themes]) observer.disconnect();
    for (const timer of [this.resting, this.settling]) clearTimeout(timer);
    cancelAnimationFrame(this.waiting);
    this.timeline.destroy();
    this.below?.destroy();
    this.scenes.destroy();
    this.backdropImage?.close();
    if (window.__stage === this.root.__stage) delete window.__stage;
  }
}
