// Questions to any session's view (see app_logic/view.py): its clip, times, addresses, and what the timeline shows.

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

export class Clip {
  constructor(prefix = "") {
    this.prefix = prefix;
    this.view = null;
  }

  get frames() { return this.view?.frames ?? 0; }
  clamp(frame) { return Math.max(0, Math.min(this.frames - 1, Math.round(frame) || 0)); }
  url(kind, version) {
    return `${this.prefix}/media/${encodeURIComponent(this.view.id)}/${kind}?v=${encodeURIComponent(version)}`;
  }
  frameUrl(frame) { return this.url(`frame/${frame}`, "0"); }
  thumbUrl(frame) { return this.url(`thumb/${frame}`, "0"); }

  // Another view has come, or none; other options hold: a kind that fetches more than pictures does it here.
  changed() {}
  // What a lane of the timeline is: {name, colour, lane, current, choose?, tip(frame)}.
  lanes() { return []; }
  // Frames that 'next keyframe' goes to, sorted.
  stops() { return []; }
  // The line below the transport.
  made() { return ""; }
  busy() { return false; }

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
