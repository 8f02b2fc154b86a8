// Pictures by URL: fetched a few at a time in the order wanted, decoded off the main thread, kept by bytes.
// Evicted bitmaps are closed at once, so that the tab's memory stays flat however far one scrubs.
export class Loader {
  constructor({ budget, slots, onload }) {
    Object.assign(this, { budget, slots, onload });
    this.cache = new Map(); // url -> {bitmap, bytes}; the order is the age
    this.flights = new Map(); // url -> AbortController
    this.missing = new Map(); // url -> {tries, at}: what the server did not have, and when to ask again
    this.queue = [];
    this.pinned = new Set();
    this.bytes = this.peak = this.loads = this.aborts = 0;
    this.latency = 50; // ms from request to bitmap, a running mean
    this.retryMs = 2000;
  }

  get(url) {
    const entry = this.cache.get(url);
    if (!entry) return null;
    this.cache.delete(url);
    this.cache.set(url, entry);
    return entry.bitmap;
  }

  has(url) { return this.cache.has(url); }
  isMissing(url) { return this.missing.has(url); }

  // What is wanted now, most urgent first. What flies and is no longer wanted makes room, except the oldest flight:
  // so that fast scrubbing, which always wants something else, still shows something.
  want(urls) {
    const wanted = new Set(urls);
    this.queue = [...wanted].filter((url) => !this.cache.has(url));
    const stale = [...this.flights.keys()].slice(1).filter((url) => !wanted.has(url));
    let waiting = this.queue.filter((url) => !this.flights.has(url)).length - (this.slots - this.flights.size);
    for (const url of stale) {
      if (waiting-- <= 0) break;
      this.flights.get(url).abort();
      this.flights.delete(url);
      this.aborts += 1;
    }
    this.pump();
  }

  pin(urls) { this.pinned = new Set(urls); }

  pump() {
    clearTimeout(this.timer);
    const now = performance.now();
    let next = Infinity;
    for (const url of this.queue) {
      if (this.flights.size >= this.slots) return;
      if (this.flights.has(url) || this.cache.has(url)) continue;
      const at = this.missing.get(url)?.at ?? 0;
      if (at <= now) this.load(url);
      else next = Math.min(next, at);
    }
    if (next < Infinity) this.timer = setTimeout(() => this.pump(), next - now);
  }

  async load(url) {
    const control = new AbortController();
    const started = performance.now();
    this.flights.set(url, control);
    try {
      const answer = await fetch(url, { signal: control.signal, credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
      if (control.signal.aborted || this.closed) return bitmap.close();
      this.latency += (performance.now() - started - this.latency) * 0.2;
      this.keep(url, bitmap);
    } catch (error) {
      if (control.signal.aborted || this.closed) return;
      const tries = (this.missing.get(url)?.tries ?? 0) + 1;
      const wait = Math.min(30000, this.retryMs * 1.5 ** (tries - 1));
      this.missing.set(url, { tries, at: performance.now() + wait });
    } finally {
      if (this.flights.get(url) === control) this.flights.delete(url);
    }
    this.onload(url);
    this.pump();
  }

  keep(url, bitmap) {
    this.missing.delete(url);
    const bytes = bitmap.width * bitmap.height * 4;
    this.cache.set(url, { bitmap, bytes });
    this.bytes += bytes;
    this.loads += 1;
    for (const [old, entry] of this.cache) {
      if (this.bytes <= this.budget) break;
      if (old !== url && !this.pinned.has(old)) this.drop(old, entry);
    }
    this.peak = Math.max(this.peak, this.bytes);
  }

  drop(url, entry) {
    entry.bitmap.close();
    this.bytes -= entry.bytes;
    this.cache.delete(url);
  }

  // Another session: nothing of the last one is of use.
  clear() {
    for (const control of this.flights.values()) control.abort();
    this.flights.clear();
    this.missing.clear();
    this.queue = [];
    this.pinned.clear();
    for (const [url, entry] of this.cache) this.drop(url, entry);
    clearTimeout(this.timer);
  }

  destroy() {
    this.closed = true;
    this.clear();
  }
}
