// Where the picture lies in the window. One unit is a device pixel; (0, 0) of the source is the CENTRE of its
// top-left pixel, so source pixel (x, y) covers [x - 0.5, x + 0.5] and its centre is at (x + 0.5) * scale + offset.
// Pixels that are not square are as wide as they are meant to be: `scale` is of their height, `scaleX` of their width.
const MIN_SHOWN = 48; // device pixels of the picture that a pan always leaves in the window

export class Camera {
  constructor() {
    this.width = this.height = this.viewWidth = this.viewHeight = 1;
    this.scale = 1;
    this.aspect = 1; // a pixel's width divided by its height
    this.x = this.y = 0;
    this.mode = "fit"; // "fit" follows the window's size, "free" does not
  }

  get scaleX() { return this.scale * this.aspect; }

  setSource(width, height, aspect = 1) {
    if (width === this.width && height === this.height && aspect === this.aspect) return;
    [this.width, this.height, this.aspect] = [width, height, aspect];
    this.fit();
  }

  resize(width, height) {
    const centre = [this.viewWidth / 2, this.viewHeight / 2];
    [this.viewWidth, this.viewHeight] = [width, height];
    if (this.mode === "fit") this.fit();
    else this.pan(width / 2 - centre[0], height / 2 - centre[1]);
  }

  fitScale() { return Math.min(this.viewWidth / (this.width * this.aspect), this.viewHeight / this.height); }

  fit() {
    this.mode = "fit";
    this.scale = this.fitScale();
    this.x = (this.viewWidth - this.width * this.scaleX) / 2;
    this.y = (this.viewHeight - this.height * this.scale) / 2;
  }

  // One source pixel on one device pixel, around the middle of the window.
  actual() {
    this.zoomAt(1 / this.scale, this.viewWidth / 2, this.viewHeight / 2);
    [this.x, this.y] = [Math.round(this.x), Math.round(this.y)];
  }

  // Zoom by a factor and leave what is under (px, py) there.
  zoomAt(factor, px, py) {
    const smallest = Math.min(1, this.fitScale()) / 4;
    const scale = Math.min(64, Math.max(smallest, this.scale * factor));
    this.x = px - ((px - this.x) * scale) / this.scale;
    this.y = py - ((py - this.y) * scale) / this.scale;
    this.scale = scale;
    this.mode = "free";
    this.clamp();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.mode = "free";
    this.clamp();
  }

  clamp() {
    const shown = (offset, size, view) => {
      const keep = Math.min(MIN_SHOWN, size, view);
      return Math.min(view - keep, Math.max(keep - size, offset));
    };
    this.x = shown(this.x, this.width * this.scaleX, this.viewWidth);
    this.y = shown(this.y, this.height * this.scale, this.viewHeight);
  }

  toSource(px, py) { return [(px - this.x) / this.scaleX - 0.5, (py - this.y) / this.scale - 0.5]; }
  toView(x, y) { return [(x + 0.5) * this.scaleX + this.x, (y + 0.5) * this.scale + this.y]; }
  inside(x, y) { return x >= -0.5 && y >= -0.5 && x <= this.width - 0.5 && y <= this.height - 0.5; }
}
