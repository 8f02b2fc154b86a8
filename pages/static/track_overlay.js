// Points, tracks and motions over the picture: drawn, taken hold of, selected; and what the user just did with them.
import { drawBox, drawPoint } from "./marks.js";
import { BaseOverlay } from "./overlay_base.js";
import { drawBrief, drawMotion, drawName, drawTracked, drawTrail } from "./track_marks.js";

const REACH = 11; // CSS pixels around a point that take hold of it
const MANY = 800; // points above which playback draws them without trails and rings
const PATIENCE = 8000; // ms after which something that never came back is no longer shown

export class TrackOverlay extends BaseOverlay {
  constructor(host) {
    super(host);
    this.drawn = []; // {id, x, y, px, py, seen} of the points on the screen
    this.pending = []; // points that were just added
    this.held = null; // {id, frame, x, y} of the point that is being moved, until its key is in the view
    this.heldCorner = null; // {motion, corner, x, y}
  }

  clear() {
    this.pending = [];
    this.held = this.heldCorner = null;
  }

  // Forget what has arrived.
  settle() {
    const { model } = this.host;
    const near = (one, x, y) => Math.hypot(one.x - x, one.y - y) < 0.02;
    const has = (one) => model.points.some((point) => point.keys.some(([frame, x, y]) => frame === one.frame && near(one, x, y)));
    this.pending = this.pending.filter((one) => performance.now() - one.at < PATIENCE && !has(one));
    const point = this.held?.dropped && model.point(this.held.id);
    if (point && (has(this.held) || performance.now() - this.held.dropped > PATIENCE)) this.held = null;
    const corner = this.heldCorner;
    const moved = corner?.dropped && model.motions.find((one) => one.id === corner.motion)?.corners[corner.corner];
    if (moved && (near(corner, ...moved) || performance.now() - corner.dropped > PATIENCE)) this.heldCorner = null;
  }

  cancel() { if (this.host.model.busy() || this.host.model.view?.object?.version) this.host.report("forget", {}); }

  select(ids) { this.host.change({ selected: ids }); }
  selectAll() { this.select(this.host.model.points.map((point) => point.id)); }

  // ---- what the pointer asks
  grip(at, density) {
    const { tool } = this.host.options;
    if (tool !== "point" && tool !== "select") return null;
    const reach = REACH * density;
    const near = (places) => places.map((one) => ({ ...one, away: Math.hypot(one.px - at[0], one.py - at[1]) }))
      .filter((one) => one.away < reach).sort((a, b) => a.away - b.away)[0];
    const corner = near(this.handles());
    if (corner) return this.cornerGrip(corner);
    const point = near(this.drawn);
    return point ? this.pointGrip(point) : null;
  }

  pointGrip({ id, x, y }) {
    const { host } = this;
    const inside = (value, size) => Math.max(0, Math.min(size - 1, value));
    const place = (px, py) => ({ id, frame: host.scene.frame, x: inside(px, host.model.view.width), y: inside(py, host.model.view.height) });
    return {
      x, y,
      move: (px, py) => { this.held = place(px, py); },
      drop: (px, py) => {
        this.held = { ...place(px, py), dropped: performance.now() };
        if (!host.options.selected.includes(id)) this.select([id]);
        const { frame } = this.held;
        host.report("move", { point: id, frame, x: this.held.x, y: this.held.y });
      },
      click: ({ shift }) => {
        const { selected } = host.options;
        if (!shift) return this.select([id]);
        this.select(selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id]);
      },
      cancel: () => { this.held = null; },
    };
  }

  cornerGrip({ corner, x, y }) {
    const motion = this.host.options.motion;
    return {
      x, y,
      move: (px, py) => { this.heldCorner = { motion, corner, x: px, y: py }; },
      drop: (px, py) => {
        this.heldCorner = { motion, corner, x: px, y: py, dropped: performance.now() };
        this.host.report("corner", { motion, corner, x: px, y: py });
      },
      click: () => {},
      cancel: () => { this.heldCorner = null; },
    };
  }

  clicked({ start: [x, y], frame, positive, kind }) {
    if (kind === "object") return this.host.report("object", { frame, x, y, positive });
    if (kind === "select") return this.select([]);
    if (kind !== "point" || !positive) return;
    this.pending.push({ frame, x, y, at: performance.now() });
    this.host.report("click", { frame, x, y, positive });
  }

  boxed({ kind, frame, shift }, { x0, y0, x1, y1 }) {
    if (kind === "region") return this.host.report("region", { frame, x0, y0, x1, y1 });
    const inside = this.drawn.filter(({ x, y }) => x >= x0 && x <= x1 && y >= y0 && y <= y1).map(({ id }) => id);
    this.select(shift ? [...new Set([...this.host.options.selected, ...inside])] : inside);
  }

  // ---- drawing
  draw(context) {
    const { host } = this;
    const { scene, pointer, camera } = host;
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.drawn = [];
    if (scene) this.points(context, scene.frame);
    if (scene) this.motion(context, scene.frame);
    if (scene && !host.playing) this.drawObject(context, scene.frame);
    if (!pointer.drawsBox) return;
    const [x0, x1, y0, y1] = pointer.corners(pointer.gesture);
    drawBox(context, camera, [x0, y0, x1, y1], "#ffb400");
  }

  points(context, frame) {
    const { camera, model, options } = this.host;
    const selected = new Set(options.selected);
    const brief = model.points.length > MANY && (this.host.playing || this.host.travelling);
    const data = options.trails && !brief ? model.tracks(options) : null;
    for (const point of model.points) {
      if (point.hidden && !selected.has(point.id)) continue;
      const held = this.held?.id === point.id && this.held.frame === frame ? this.held : null;
      const place = held ? { ...held, seen: true, confidence: 1, key: true } : model.placeOf(point, frame, options);
      if (data) this.trail(context, data, point, frame);
      if (!place) continue;
      const at = camera.toView(place.x, place.y);
      const look = { ...place, colour: point.colour, selected: selected.has(point.id), stale: point.state === "stale" };
      if (point.hidden) look.confidence = 0;
      if (brief && !look.selected) drawBrief(context, at, look);
      else drawTracked(context, at, look);
      if (options.labels || (look.selected && selected.size === 1)) drawName(context, at, point.name);
      this.drawn.push({ id: point.id, x: place.x, y: place.y, px: at[0], py: at[1], seen: place.seen });
    }
    for (const one of this.pending)
      if (one.frame === frame) drawTracked(context, camera.toView(one.x, one.y), { colour: "#ffb400", seen: true, confidence: 1, key: true });
  }

  trail(context, data, point, frame) {
    const { camera, options } = this.host;
    const places = [];
    for (let at = Math.max(0, frame - options.trail); at <= frame; at++) {
      const place = data.at(point.id, at);
      places.push(place?.seen ? camera.toView(place.x, place.y) : null);
    }
    if (places.some(Boolean)) drawTrail(context, places, point.colour);
  }

  // The corners of the shown corner pin where they can be moved: on its reference frame.
  handles() {
    const { model, options, camera, scene } = this.host;
    const motion = model.motion(options);
    const reference = motion?.reference ?? model.motionData.value?.reference;
    if (motion?.kind !== "corner-pin" || (reference !== undefined && scene?.frame !== reference)) return [];
    return motion.corners.map(([x, y], corner) => {
      const held = this.heldCorner?.motion === motion.id && this.heldCorner.corner === corner ? this.heldCorner : { x, y };
      const [px, py] = camera.toView(held.x, held.y);
      return { corner, x: held.x, y: held.y, px, py };
    });
  }

  motion(context, frame) {
    const { model, options, camera } = this.host;
    const solved = model.motion(options) && model.motionData.value;
    const handles = this.handles();
    const path = solved?.path?.[frame - solved.first];
    const outline = handles.length && !solved?.stabilises ? handles.map(({ px, py }) => [px, py]) : path?.map(([x, y]) => camera.toView(x, y));
    if (outline) drawMotion(context, outline, handles.map(({ px, py }) => [px, py]));
  }

  drawObject(context, frame) {
    const { object } = this.host.model.view;
    if (object?.frame !== frame) return;
    for (const [x, y, positive] of object.clicks) drawPoint(context, ...this.host.camera.toView(x, y), positive, "#ffb400");
  }
}
