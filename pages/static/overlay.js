// What the user just did on a matting session, before the server's answer is on the screen.
import { drawBox, drawBrush, drawDivider, drawPoint, drawPrompts, drawStroke } from "./marks.js";
import { BaseOverlay } from "./overlay_base.js";

const PATIENCE = 15000; // ms after which something that never came back is no longer shown
const NOTES = { none: "No alpha on this frame: matte this frame or the clip", preview: "Preview of this frame", stale: "Stale" };

export class Overlay extends BaseOverlay {
  constructor(host) {
    super(host);
    this.notes = NOTES;
    this.pending = [];
  }

  clear() { this.pending = []; }

  // The object that is drawn on; none until the first prompt makes one.
  get object() { return this.host.model.object(this.host.options.current_object); }
  colour() { return this.object?.colour ?? "#ff9f1a"; }

  add(item) {
    const version = this.object ? this.host.model.maskVersion(this.object, item.frame) : "";
    this.pending.push({ ...item, object: this.object?.id ?? null, version, colour: this.colour(), at: performance.now() });
    this.host.redraw();
  }

  clicked({ start: [x, y], frame, positive }) {
    this.add({ kind: "point", frame, x, y, positive });
    this.host.report("click", { frame, x, y, positive });
  }

  boxed({ frame }, box) { this.host.report("box", { frame, ...box }); }

  stroked({ points, frame, positive }) {
    const radius = this.host.options.brush_radius;
    this.add({ kind: "stroke", frame, points, radius, positive });
    this.host.report("stroke", { frame, points, radius, positive });
  }

  // Forget what has arrived: a point when the view has it, a stroke when another mask of its frame is on the screen.
  settle() {
    if (!this.pending.length) return;
    this.pending = this.pending.filter((item) => performance.now() - item.at < PATIENCE && !this.arrived(item));
  }

  arrived(item) {
    const { model, options, scene } = this.host;
    const object = model.object(item.object ?? options.current_object);
    if (!object) return false;
    if (item.kind === "point") {
      const points = object.prompts?.[item.frame]?.points ?? [];
      return points.some(([x, y, positive]) => Math.hypot(x - item.x, y - item.y) < 0.02 && Boolean(positive) === item.positive);
    }
    if (model.maskVersion(object, item.frame) === item.version) return false;
    if (scene?.frame !== item.frame) return true;
    const layers = scene.sides.flatMap((side) => side.layers).filter((layer) => layer.object === object.id);
    const current = `?v=${encodeURIComponent(model.maskVersion(object, item.frame))}`;
    return !layers.length ? !object.visible : layers.every(({ url }) => url.endsWith(current));
  }

  // Strokes lie under the wipe's clip, with the pictures.
  drawPending(context, mode, frame) {
    const { host } = this;
    const strokes = this.pending.filter((item) => item.kind === "stroke" && item.frame === host.scene?.frame);
    const { gesture } = host.pointer;
    if (gesture?.points) strokes.push({ ...gesture, radius: host.options.brush_radius, colour: this.colour() });
    for (const stroke of strokes)
      drawStroke(context, host.painter, host.camera, stroke, { mode, colour: stroke.colour, opacity: host.options.opacity, frame });
  }

  draw(context) {
    const { host } = this;
    const { camera, options, pointer, scene } = host;
    if (scene && !host.playing && host.modes().some((mode) => ["source", "overlay", "mask"].includes(mode))) {
      if (this.object) drawPrompts(context, camera, this.object, this.object.prompts?.[scene.frame]);
      for (const item of this.pending)
        if (item.kind === "point" && item.frame === scene.frame)
          drawPoint(context, ...camera.toView(item.x, item.y), item.positive, item.colour);
    }
    if (options.wipe && scene) drawDivider(context, host.splitX(), host.canvas.height);
    const { gesture, hover } = pointer;
    if (pointer.drawsBox) {
      const [x0, x1, y0, y1] = pointer.corners(gesture);
      drawBox(context, camera, [x0, y0, x1, y1], this.colour());
    }
    const brush = options.tool === "brush" || options.tool === "eraser";
    const at = gesture?.points ? gesture.at : hover;
    if (brush && at && scene && (!gesture || gesture.points))
      drawBrush(context, at, options.brush_radius * camera.scale, camera.aspect, gesture?.points ? gesture.positive : options.tool === "brush");
  }
}
