// Questions to a matting session's view: what lies on a frame, which pictures a view of it needs, what the lanes are.
import { Clip, keyframes, laneAt } from "./clip.js";

export const VIEWS = ["source", "overlay", "mask", "alpha", "foreground", "composite"];

export class Model extends Clip {
  get objects() { return this.view?.objects ?? []; }
  object(id) { return this.objects.find((one) => one.id === id) ?? null; }
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

  // Which engines made what lies on a frame, as text: of all shown objects, or of one; with the alpha, or without.
  made(host, frame = host.frame, objects = undefined, alpha = true) {
    const named = (makers) => makers.map(([title, model]) => (model ? `${host.t(title)} (${model})` : host.t(title))).join(", ");
    const masks = named(this.maskMakers(frame, objects)), mattes = alpha ? named(this.alphaMakers(frame)) : "";
    const parts = [masks && `${host.t("Mask")}: ${masks}`, mattes && `${host.t("Alpha")}: ${mattes}`];
    return parts.filter(Boolean).join("  ·  ");
  }

  // A lane per object, and the alpha's.
  lanes(host) {
    const objects = this.objects.map((object) => ({ name: object.name, colour: object.colour, lane: object.lane,
      current: object.id === host.options.current_object, choose: { current_object: object.id },
      tip: (frame) => this.made(host, frame, [object], false) }));
    return [...objects, { name: host.t("Alpha"), colour: "accent", lane: this.view?.alpha ?? [], current: false,
      tip: (frame) => this.made(host, frame, []) }];
  }

  stops(host) {
    const object = this.object(host.options.current_object);
    return (object ? [object] : this.objects).flatMap(keyframes).sort((a, b) => a - b);
  }
}
