// Questions to a tracking session's view: where points are, what the timeline's lanes are, which tracks are shown.
import { Clip } from "./clip.js";
import { Fetched, Tracks } from "./track_data.js";

const OBJECT = -1; // the id of the layer of the object that was clicked on
const OBJECT_LOOK = { colour: "#ffb400", opacity: 1, visible: true };

// Frames on which any of the points has a key, sorted.
const keyed = (points) => [...new Set(points.flatMap((point) => point.keys.map(([frame]) => frame)))].sort((a, b) => a - b);

export class TrackModel extends Clip {
  constructor(prefix = "") {
    super(prefix);
    const tracks = async (answer, columns) => new Tracks(await answer.arrayBuffer(), columns);
    this.refined = new Fetched(tracks, () => this.arrived());
    this.unrefined = new Fetched(tracks, () => this.arrived());
    this.motionData = new Fetched((answer) => answer.json(), () => this.arrived());
    this.arrivals = 0;
    this.known = { key: "", lanes: [] };
  }

  get points() { return this.view?.points ?? []; }
  get motions() { return this.view?.motions ?? []; }
  point(id) { return this.byId?.get(id) ?? null; }
  object(id) { return id === OBJECT ? OBJECT_LOOK : null; }
  motion(options) { return this.motions.find((one) => one.id === options.motion) ?? null; }
  busy() { return Boolean(this.view?.object?.busy); }

  // The tracks as they are to be shown, and as the engine gave them where that is something else.
  tracks(options) { return (options.raw && this.unrefined.value) || this.refined.value; }
  raw() { return this.unrefined.value; }

  changed(host) {
    this.host = host;
    this.byId = new Map(this.points.map((point) => [point.id, point]));
    const tracks = this.view?.tracks;
    const address = (kind, version) => (version ? this.url(`tracks/${kind}`, version) : "");
    this.refined.want(tracks ? address("refined", tracks.version) : "", tracks?.columns);
    this.unrefined.want(tracks ? address("raw", tracks.raw) : "", tracks?.columns);
    const motion = this.view && this.motion(host.options);
    this.motionData.want(motion && tracks ? this.url(`motion/${motion.id}`, motion.version) : "");
  }

  arrived() {
    this.arrivals += 1;
    this.host.timeline.redraw();
    this.host.below?.update();
    this.host.redraw();
  }

  // Where a point is drawn: where the user says it is, else where it was tracked.
  placeOf(point, frame, options) {
    const key = point.keys.find(([at]) => at === frame);
    const tracked = this.tracks(options)?.at(point.id, frame) ?? null;
    if (!key) return tracked;
    const moved = !tracked || Math.hypot(tracked.x - key[1], tracked.y - key[2]) > 2;
    const isKey = !options.raw && (moved || point.state !== "tracked");
    return isKey ? { x: key[1], y: key[2], seen: true, confidence: 1, key: true } : { ...tracked, key: true };
  }

  needs(frame) {
    const layers = [{ name: "frame", url: this.frameUrl(frame) }];
    const { object } = this.view;
    if (object?.version && object.frame === frame) layers.push({ name: "mask", url: this.url("object", object.version), object: OBJECT });
    return { mode: "overlay", layers, note: null };
  }

  frameBytes() { return 2 * this.view.width * this.view.height * 4; }

  selected(options) { return options.selected.map((id) => this.point(id)).filter(Boolean); }

  stops(host) {
    const points = this.selected(host.options);
    return keyed(points.length ? points : this.points);
  }

  // Two lanes, so that nothing moves when the selection changes: what is selected, and all points.
  lanes(host) {
    const { options } = host;
    const key = [this.view?.id, this.view?.revision, options.selected.join(), options.raw, this.arrivals].join(" ");
    if (this.known.key === key) return this.known.lanes;
    const chosen = this.selected(options);
    const name = chosen.length === 1 ? chosen[0].name
      : host.t("{count} selected").replace("{count}", chosen.length);
    const lane = (points) => [...this.spans(points, options), ...keyed(points).map((frame) => [frame, frame + 1, "keyframe"])];
    this.known = { key, lanes: [
      { name, colour: chosen[0]?.colour ?? "accent", lane: lane(chosen), current: chosen.length > 0, tip: () => "" },
      { name: host.t("All points"), colour: "accent", lane: lane(this.points), current: false, tip: () => "" },
    ] };
    return this.known.lanes;
  }

  // Runs of frames on which any of the points is visible; hatched where one of them has changed since.
  spans(points, options) {
    const data = this.tracks(options);
    if (!data || !points.length) return [];
    const edges = new Int32Array(data.frames + 1);
    for (const point of points) for (const [start, stop] of data.runs(point.id)) {
      edges[start] += 1;
      edges[stop] -= 1;
    }
    const kind = points.some((point) => point.state === "stale") ? "stale" : "seen";
    const found = [];
    for (let frame = 0, count = 0, start = -1; frame <= data.frames; frame++) {
      count += edges[frame];
      if (count > 0 && start < 0) start = frame;
      if (count === 0 && start >= 0) {
        found.push([start, frame, kind]);
        start = -1;
      }
    }
    return found;
  }

  // The line below the transport: the numbers of the point that is selected.
  made(host) {
    const { options, frame } = host;
    const [point, another] = this.selected(options);
    if (!this.points.length || (!this.refined.value && !point)) return this.view ? host.t("No tracks yet: add points and track them.") : "";
    if (!point || another) return "";
    const place = this.placeOf(point, frame, options);
    if (!place) return `${point.name}: ${host.t("not tracked here")}`;
    const parts = [`${point.name}: ${place.x.toFixed(2)}, ${place.y.toFixed(2)}`, host.t(place.seen ? "seen" : "hidden from view"),
      `${host.t("confidence")} ${place.confidence.toFixed(2)}`];
    if (place.key) parts.push(host.t("corrected here"));
    if (point.state === "stale") parts.push(host.t("Changed since: track again"));
    return parts.join("  ·  ");
  }

  // For tests: what is drawn, what has come.
  probe(host) {
    const model = this;
    return {
      get places() { return host.overlay.drawn.map(({ id, x, y, seen }) => ({ id, x, y, seen })); },
      get tracksLoaded() { return model.refined.value !== null && model.refined.url === model.refined.loaded; },
      get motionLoaded() { return model.motionData.value; },
      track(id) {
        const data = model.tracks(host.options);
        return Array.from({ length: data?.frames ?? 0 }, (_, frame) => data.at(id, frame));
      },
    };
  }
}
