// Questions to a SessionView (see pages/stage.py): what lies on a frame, which pictures a view of it needs.
export const VIEWS = ["source", "overlay", "mask", "alpha", "foreground", "composite"];

// The interval [start, stop, kind, version] of a lane that holds a frame, or null. Lanes are sorted.
export function laneAt(lane, frame) {
  let [low, high] = [0, lane.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const piece = lane[middle];
    if (frame < piece[0]) high = middle - 1;
    else if (frame >= piece[1]) low = middle + 1;
    else return piece;
  }
  return null;
}

export function keyframes(object) {
  const frames = [];
  for (const [start, stop, kind] of object?.lane ?? [])
    if (kind === "keyframe") for (let frame = start; frame < stop; frame++) frames.push(frame);
  return frames;
}

export class Model {
  constructor(prefix = "") {
    this.prefix = prefix;
    this.view = null;
  }

  get frames() { return this.view?.frames ?? 0; }
  get objects() { return this.view?.objects ?? []; }
  object(id) { return this.objects.find((one) => one.id === id) ?? null; }
  clamp(frame) { return Math.max(0, Math.min(this.frames - 1, Math.round(frame) || 0)); }
  url(kind, version) {
    return `${this.prefix}/media/${encodeURIComponent(this.view.id)}/${kind}?v=${encodeURIComponent(version)}`;
  }
  frameUrl(frame) { return this.url(`frame/${frame}`, "0"); }
  thumbUrl(frame) { return this.url(`thumb/${frame}`, "0"); }
  maskVersion(object, frame) { return laneAt(object.lane, frame)?.[3] ?? ""; }

  // The best alpha of a frame: of the run, else of 'matte this frame'; null if there is none.
  alphaOf(frame) {
    const piece = laneAt(this.view.alpha ?? [], frame);
    const preview = this.view.preview?.[frame];
    if (piece && !(piece[2] === "stale" && preview)) return { kind: "alpha", version: piece[3], stale: piece[2] === "stale" };
    return preview ? { kind: "preview", version: preview, stale: false } : null;
  }

  // Who made the masks of the shown objects, and the alpha, of a frame: [[title, model]], each once.
  maskMakers(frame, objects = this.objects.filter((one) => one.visible)) {
    return this.makers(objects.map((one) => this.view.made?.masks[one.id] ?? []), frame);
  }
  alphaMakers(frame) { return this.makers([this.view.made?.alpha ?? []], frame); }
  makers(lanes, frame) {
    const found = lanes.map((lane) => laneAt(lane, frame)?.slice(2)).filter(Boolean);
    return [...new Map(found.map((one) => [one.join("\n"), one])).values()];
  }

  // What one view of one frame needs: {mode, layers: [{name, url, object?}], note}.
  needs(frame, mode) {
    const side = { mode, layers: [], note: null };
    const add = (name, url, object) => side.layers.push({ name, url, object });
    if (mode === "source" || mode === "overlay") add("frame", this.frameUrl(frame));
    if (mode === "overlay" || mode === "mask") {
      for (const object of this.objects) {
        const piece = object.visible && laneAt(object.lane, frame);
        if (!piece) continue;
        add("mask", this.url(`mask/${object.id}/${frame}`, piece[3]), object.id);
        if (piece[2] === "stale") side.note = "stale";
      }
    }
    if (!["alpha", "foreground", "composite"].includes(mode)) return side;
    const alpha = this.alphaOf(frame);
    if (!alpha) {
      add("frame", this.frameUrl(frame)); // shown dimmed: better than an empty window
      return { ...side, mode: "none", note: "none" };
    }
    add("alpha", this.url(`${alpha.kind}/${frame}`, alpha.version));
    if (mode !== "alpha") add("foreground", this.url(`foreground/${frame}`, alpha.version));
    side.note = alpha.stale ? "stale" : alpha.kind === "preview" ? "preview" : null;
    return side;
  }

  busy(frame) { return this.objects.some((object) => (object.busy ?? []).includes(frame)); }

  // Bytes of one decoded frame with all that the modes draw.
  frameBytes(modes) {
    const masks = this.objects.filter((object) => object.visible).length;
    const layers = { source: 1, overlay: 1 + masks, mask: masks, alpha: 1, foreground: 2, composite: 2 };
    const count = modes.reduce((sum, mode) => sum + layers[mode], 0);
    return Math.max(1, count) * this.view.width * this.view.height * 4;
  }

  get fps() {
    const { rate, times } = this.view;
    if (times?.length > 1) return (times.length - 1) / Math.max(1e-3, times.at(-1) - times[0]);
    return rate[0] / rate[1];
  }

  // Seconds from the start of the clip to a frame; the frame that is shown at a time.
  timeOf(frame) {
    const { times, rate } = this.view;
    if (times) return frame < times.length ? times[frame] - times[0] : this.timeOf(times.length - 1) + 1 / this.fps;
    return (frame * rate[1]) / rate[0];
  }

  frameAt(time) {
    const { times, rate } = this.view;
    if (!times) return Math.floor((time * rate[0]) / rate[1] + 1e-6);
    let [low, high] = [0, times.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] - times[0] <= time + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // HH:MM:SS:FF without drop frames (time base: the rounded rate); HH:MM:SS.mmm where the rate varies.
  timecode(frame) {
    const two = (value) => String(value).padStart(2, "0");
    const clock = (seconds) => [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((v) => two(Math.floor(v))).join(":");
    if (this.view.times) {
      const ms = Math.round(this.timeOf(frame) * 1000);
      return `${clock(Math.floor(ms / 1000))}.${String(ms % 1000).padStart(3, "0")}`;
    }
    const base = Math.max(1, Math.round(this.fps));
    return `${clock(Math.floor(frame / base))}:${two(frame % base)}`;
  }
}
