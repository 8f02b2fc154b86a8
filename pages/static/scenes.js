// From a frame number to complete pictures: what a frame needs, whether it is there, what to fetch next.
// A scene is only ever made of one frame's own pictures; until they are there, the last scene stays.
import { Loader } from "./loader.js";

const BUDGET = 256 << 20; // bytes of decoded pictures
const AHEAD = 24, BEHIND = 6;

export class Scenes {
  constructor(model, onload) {
    this.model = model;
    this.loader = new Loader({ budget: BUDGET, slots: 5, onload });
    this.recent = []; // frames asked for since the one that is shown, newest last
    this.scene = null;
    this.direction = 1;
  }

  reset() {
    this.loader.clear();
    this.scene = null;
    this.recent = [];
  }

  sides(frame, modes) { return modes.map((mode) => this.model.needs(frame, mode)); }

  // The source has to be there; what else the server does not have is left out, and asked for again later.
  complete(sides) {
    return sides.every((side) => side.layers.every(
      ({ name, url }) => this.loader.has(url) || (name !== "frame" && this.loader.isMissing(url))));
  }

  // Ask for a frame; return the scene to show now: its own, or of a frame on the way to it, or the last one.
  ask(frame, modes, { playing = false, range = null } = {}) {
    if (this.recent.at(-1) !== frame) this.recent.push(frame);
    if (this.recent.length > 64) this.recent.shift();
    const shown = this.scene?.frame;
    if (shown !== undefined && frame !== shown) this.direction = frame > shown ? 1 : -1;
    for (let index = this.recent.length - 1; index >= 0; index--) {
      const candidate = this.recent[index];
      if (candidate === shown && candidate !== frame) break;
      const sides = this.sides(candidate, modes);
      if (!this.complete(sides)) continue;
      this.show(candidate, sides);
      this.recent.splice(0, index);
      break;
    }
    this.prefetch(frame, modes, playing, range);
    return this.scene;
  }

  show(frame, sides) {
    const layers = sides.flatMap((side) => side.layers);
    const key = [frame, ...sides.map((side) => side.mode), ...layers.map(({ url }) => url + this.loader.has(url))].join(" ");
    for (const layer of layers) layer.bitmap = this.loader.get(layer.url);
    if (this.scene?.key === key) return;
    this.scene = { frame, sides, key };
    this.loader.pin(layers.map(({ url }) => url));
  }

  // The frame itself, then the ones in the way of travel, a few behind; no more than the cache can hold. In playback it
  // starts as far ahead as a picture takes to come, and leaves frames out where the server cannot keep up.
  prefetch(frame, modes, playing, range) {
    const { model, loader } = this;
    const size = model.frameBytes(modes);
    loader.budget = Math.max(BUDGET, size * 4);
    const room = Math.max(1, Math.floor((loader.budget * 0.8) / size) - 1);
    const [first, stop] = playing && range ? range : [0, model.frames];
    const wanted = [frame];
    const add = (other) => other >= first && other < stop && wanted.push(other);
    const layers = Math.max(1, size / (model.view.width * model.view.height * 4));
    const pace = playing ? (model.fps * loader.latency * layers) / 1000 / loader.slots : 0;
    const stride = Math.max(1, Math.min(8, Math.ceil(pace)));
    for (let step = 1; step <= Math.min(AHEAD, room); step++) add(frame + this.direction * step * stride);
    if (playing && range && frame + AHEAD >= stop) for (let step = 0; step < 6; step++) wanted.push(first + step);
    if (!playing) for (let step = 1; step <= Math.min(BEHIND, room - AHEAD); step++) add(frame - this.direction * step);
    const near = wanted.slice(0, room + 1);
    loader.want(near.flatMap((other) => this.sides(other, modes).flatMap((side) => side.layers.map(({ url }) => url))));
  }

  isWaiting(frame) { return this.model.frames > 0 && this.scene?.frame !== frame; }
  destroy() { this.loader.destroy(); }
}
