// Tracks and motions as they come over HTTP: fetched when their version changes; the last ones stay until then.
const HEADER = 8; // bytes: uint32 frames, uint32 points
const RETRY_MS = 1000;

// float32 [T, N, 2] positions, uint8 [T, N] confidence and visibility; `at` is the place of a frame and column in them.
export class Tracks {
  constructor(buffer, columns) {
    const [frames, count] = new Uint32Array(buffer, 0, 2);
    const size = frames * count;
    Object.assign(this, { frames, count });
    this.columns = new Map(columns.map((id, column) => [id, column]));
    this.xy = new Float32Array(buffer, HEADER, 2 * size);
    this.confidence = new Uint8Array(buffer, HEADER + 8 * size, size);
    this.visible = new Uint8Array(buffer, HEADER + 9 * size, size);
  }

  // Where a point is on a frame: {x, y, seen, confidence 0..1}; null where nothing was tracked.
  at(id, frame) {
    const column = this.columns.get(id);
    if (column === undefined || frame < 0 || frame >= this.frames) return null;
    const place = frame * this.count + column;
    if (!this.confidence[place] && !this.visible[place]) return null;
    return { x: this.xy[2 * place], y: this.xy[2 * place + 1], seen: this.visible[place] === 1, confidence: this.confidence[place] / 255 };
  }

  // Half-open runs of frames on which a point is visible.
  runs(id) {
    const column = this.columns.get(id);
    const found = [];
    let start = -1;
    for (let frame = 0; column !== undefined && frame <= this.frames; frame++) {
      const seen = frame < this.frames && this.visible[frame * this.count + column];
      if (seen && start < 0) start = frame;
      if (!seen && start >= 0) {
        found.push([start, frame]);
        start = -1;
      }
    }
    return found;
  }

  // How many points are visible on each frame.
  counts() {
    const found = new Uint32Array(this.frames);
    for (let place = 0; place < this.visible.length; place++) found[Math.floor(place / this.count)] += this.visible[place];
    return found;
  }
}

// One thing that is fetched by its address, and made of what comes; `onload` is called when there is another one.
export class Fetched {
  constructor(read, onload) {
    Object.assign(this, { read, onload });
    this.url = "";
    this.value = null;
    this.loaded = "";
  }

  // Ask for what lies at an address; the last value stays until it has come. An empty address is nothing.
  want(url, about) {
    if (url === this.url) return;
    this.url = url;
    if (!url) [this.value, this.loaded] = [null, ""];
    else this.load(url, about);
  }

  async load(url, about) {
    const answer = await fetch(url, { credentials: "same-origin" }).catch(() => null);
    if (url !== this.url) return; // another one is wanted by now
    if (!answer?.ok) { // the server has another version already and says so soon, or cannot be reached
      clearTimeout(this.retry);
      this.retry = setTimeout(() => url === this.url && this.load(url, about), RETRY_MS);
      return;
    }
    const value = await this.read(answer, about);
    if (url !== this.url) return;
    [this.value, this.loaded] = [value, url];
    this.onload();
  }
}
