// What a pointer does on the picture: the tools, panning, pinching, the wipe's divider. Touch: one finger is the tool,
// two zoom and pan.
const DRAG = 4; // CSS pixels before a press is a drag
const BOXES = new Set(["box", "region", "select"]); // tools that draw a rectangle
const GRIP = 8; // CSS pixels around the wipe's divider that take hold of it

export class Pointer {
  // host: the StageController.
  constructor(canvas, host) {
    Object.assign(this, { canvas, host });
    this.touches = new Map(); // pointer id -> [px, py]
    this.gesture = null; // {kind, …}: what the pressed pointer does
    this.hover = null; // [px, py] under the mouse, for the brush's circle
    const listen = (type, handler, options) => canvas.addEventListener(type, handler.bind(this), options);
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.cancel);
    listen("pointerleave", () => { this.hover = null; host.redraw(); });
    listen("contextmenu", (event) => event.preventDefault());
    listen("auxclick", (event) => event.preventDefault());
    listen("wheel", this.wheel, { passive: false });
  }

  // An event's place in device pixels of the canvas, whatever the page's zoom, scroll and density.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * this.canvas.width) / box.width,
      ((event.clientY - box.top) * this.canvas.height) / box.height,
    ];
  }

  get density() { return this.canvas.width / Math.max(1, this.canvas.clientWidth); }

  // Drawing goes nowhere without a picture that is whole and a view that shows what is drawn.
  kindOf(event, at) {
    const { host } = this;
    if (host.options.wipe && Math.abs(at[0] - host.splitX()) < GRIP * this.density) return "wipe";
    if (event.button === 1 || host.spaceHeld || host.options.tool === "pan") return "pan";
    if (!host.scene || event.button > 2) return null;
    return host.options.tool;
  }

  down(event) {
    this.canvas.focus({ preventScroll: true });
    const at = this.place(event);
    if (event.pointerType === "touch") {
      this.touches.set(event.pointerId, at);
      if (this.touches.size === 2) return this.pinch();
      if (this.touches.size > 2) return;
    } else if (this.gesture) return;
    const kind = this.kindOf(event, at);
    if (!kind) return;
    this.capture(event);
    event.preventDefault();
    const { host } = this;
    const positive = event.button !== 2 && !event.altKey;
    this.gesture = { kind, id: event.pointerId, from: at, at, last: at, positive, frame: host.scene?.frame, moved: false,
      shift: event.shiftKey };
    if (kind === "pan") host.panned = true;
    if (kind === "pan" || kind === "wipe") return;
    host.pause();
    this.gesture.start = host.camera.toSource(...at);
    const grip = host.overlay.grip(at, this.density);
    if (grip) return Object.assign(this.gesture, { kind: "grip", grip });
    if (kind !== "brush" && kind !== "eraser") return;
    this.gesture.positive = (kind === "brush") === positive; // right or Alt turns a brush into its opposite
    this.gesture.points = [this.gesture.start];
    host.redraw();
  }

  capture(event) {
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that has gone already (or a test's own event) cannot be captured, and need not be
    }
  }

  move(event) {
    const at = this.place(event);
    const { host, gesture } = this;
    if (event.pointerType !== "touch") this.hover = at;
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, at);
    if (gesture?.kind === "pinch") return this.pinchMove();
    if (!gesture || gesture.id !== event.pointerId) {
      this.cursor(event, at);
      if (host.options.tool === "brush" || host.options.tool === "eraser") host.redraw();
      return;
    }
    gesture.moved ||= Math.hypot(at[0] - gesture.from[0], at[1] - gesture.from[1]) > DRAG * this.density;
    if (gesture.kind === "pan") host.camera.pan(at[0] - gesture.last[0], at[1] - gesture.last[1]);
    if (gesture.kind === "wipe") host.setSplit(at[0] / this.canvas.width);
    if (gesture.kind === "grip" && gesture.moved) gesture.grip.move(...this.gripped(gesture, at));
    if (gesture.points) this.draw(event);
    gesture.last = gesture.at = at;
    host.redraw();
  }

  // Every place the pointer went through, thinned to a quarter of the brush.
  draw(event) {
    const { points } = this.gesture;
    const step = Math.max(0.25, this.host.options.brush_radius / 4);
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const point = this.host.camera.toSource(...this.place(one));
      const last = points.at(-1);
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= step) points.push(point);
    }
  }

  up(event) {
    this.touches.delete(event.pointerId);
    const { gesture, host } = this;
    if (!gesture || (gesture.kind !== "pinch" && gesture.id !== event.pointerId)) return;
    const drawsBox = BOXES.has(gesture.kind);
    this.gesture = null;
    if (gesture.kind === "pinch") {
      if (this.touches.size) this.gesture = { kind: "rest", id: -1 }; // the other finger does not draw
      return;
    }
    if (gesture.kind === "grip") this.dropped(gesture);
    if (gesture.kind === "point" || gesture.kind === "object") this.clicked(gesture);
    if (drawsBox) this.boxed(gesture);
    if (gesture.points) host.overlay.stroked(gesture);
    host.redraw();
  }

  // What is held moves with the pointer from where it was taken hold of, not to the pointer itself.
  gripped({ grip, start }, at) {
    const [x, y] = this.host.camera.toSource(...at);
    return [grip.x + x - start[0], grip.y + y - start[1]];
  }

  dropped(gesture) {
    if (gesture.moved) gesture.grip.drop(...this.gripped(gesture, gesture.at));
    else gesture.grip.click(gesture);
  }

  clicked(gesture) {
    if (this.host.camera.inside(...gesture.start)) this.host.overlay.clicked(gesture);
  }

  // A box that was not dragged is a click: so the tool need not be changed for it.
  boxed(gesture) {
    if (!gesture.moved) return this.clicked(gesture);
    const [x0, x1, y0, y1] = this.corners(gesture);
    if (x1 > x0 && y1 > y0) this.host.overlay.boxed(gesture, { x0, y0, x1, y1 });
  }

  get drawsBox() { return BOXES.has(this.gesture?.kind) && this.gesture.moved; }

  corners(gesture) {
    const { camera } = this.host;
    const end = camera.toSource(...gesture.at);
    const within = (value, size) => Math.max(-0.5, Math.min(size - 0.5, value));
    const xs = [gesture.start[0], end[0]].map((x) => within(x, camera.width)).sort((a, b) => a - b);
    const ys = [gesture.start[1], end[1]].map((y) => within(y, camera.height)).sort((a, b) => a - b);
    return [...xs, ...ys];
  }

  cancel(event) {
    if (event) this.touches.delete(event.pointerId);
    this.gesture?.grip?.cancel();
    if (this.gesture?.kind !== "pinch" || !this.touches.size) this.gesture = null;
    this.host.redraw();
  }

  // A second finger ends what the first began to draw.
  pinch() {
    const [a, b] = [...this.touches.values()];
    this.gesture = { kind: "pinch", id: -1, middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], span: Math.hypot(a[0] - b[0], a[1] - b[1]) };
    this.host.redraw();
  }

  pinchMove() {
    if (this.touches.size < 2) return;
    const [a, b] = [...this.touches.values()];
    const { gesture, host } = this;
    const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const span = Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
    host.camera.pan(middle[0] - gesture.middle[0], middle[1] - gesture.middle[1]);
    host.camera.zoomAt(span / Math.max(1, gesture.span), ...middle);
    Object.assign(gesture, { middle, span });
    host.redraw();
  }

  wheel(event) {
    event.preventDefault();
    const { host } = this;
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const delta = (event.deltaY || event.deltaX) * lines;
    if (event.altKey) return host.scaleBrush(Math.exp(-delta * 0.002));
    host.camera.zoomAt(Math.exp(-Math.max(-240, Math.min(240, delta)) * 0.002), ...this.cursorPlace(event));
    host.redraw();
  }

  // A wheel event knows whole CSS pixels only, the pointer's last move knew the place better.
  cursorPlace(event) {
    const at = this.place(event);
    const { hover } = this;
    return hover && Math.hypot(hover[0] - at[0], hover[1] - at[1]) < 1.5 * this.density ? hover : at;
  }

  cursor(event, at) {
    const kind = this.kindOf({ button: 0 }, at);
    const shapes = { wipe: "ew-resize", pan: "grab", brush: "none", eraser: "none" };
    const holds = kind && !shapes[kind] && this.host.overlay.grip(at, this.density);
    this.canvas.style.cursor = holds ? "move" : shapes[kind] ?? (kind ? "crosshair" : "default");
  }
}
