// Draws a scene (complete pictures of one frame) into the window's canvas: layers, tints, outlines, backdrop, wipe.
// Masks come as white with alpha = mask; 'source-in' on a scratch canvas gives them a colour.
const CHECKER = 12; // device pixels of one square at density 1

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.scratch = document.createElement("canvas");
    this.ring = document.createElement("canvas");
    this.draws = 0;
  }

  // state: {scene, camera, options, model, still, background, backdropImage, pending(context)}
  draw(state) {
    const { canvas, context } = this;
    this.draws += 1;
    this.state = state;
    this.smooth = state.camera.scale <= 3;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = state.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!state.scene) return;
    const split = Math.round(canvas.width * state.split);
    const spans = state.scene.sides.length > 1 ? [[0, split], [split, canvas.width]] : [[0, canvas.width]];
    state.scene.sides.forEach((side, index) => {
      context.save();
      context.beginPath();
      context.rect(spans[index][0], 0, spans[index][1] - spans[index][0], canvas.height);
      context.clip();
      this.side(side);
      context.restore();
    });
  }

  side(side) {
    const layer = (name) => side.layers.find((one) => one.name === name && one.bitmap)?.bitmap;
    const { context } = this;
    if (["mask", "alpha", "foreground"].includes(side.mode)) this.fill(context, "#000");
    if (side.mode === "source" || side.mode === "overlay") this.image(context, layer("frame"));
    if (side.mode === "none") this.image(context, layer("frame"), 0.35);
    if (side.mode === "alpha") this.image(context, layer("alpha"));
    if (side.mode === "mask") for (const one of side.layers) this.image(context, one.bitmap);
    if (side.mode === "overlay") this.masks(side);
    if (side.mode === "composite") this.backdrop();
    if (side.mode === "composite" || side.mode === "foreground") this.cutout(layer("foreground"), layer("alpha"));
    if (["overlay", "mask", "source"].includes(side.mode)) this.state.pending(context, side.mode, layer("frame"));
  }

  place(context) {
    const { camera, still } = this.state;
    context.setTransform(camera.scaleX, 0, 0, camera.scale, camera.x, camera.y);
    context.imageSmoothingEnabled = this.smooth;
    context.imageSmoothingQuality = still && camera.scale < 0.6 ? "medium" : "low";
  }

  image(context, bitmap, alpha = 1) {
    if (!bitmap) return;
    this.place(context);
    context.globalAlpha = alpha;
    context.drawImage(bitmap, 0, 0, this.state.camera.width, this.state.camera.height);
    context.globalAlpha = 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  fill(context, style) {
    this.place(context);
    context.fillStyle = style;
    context.fillRect(0, 0, this.state.camera.width, this.state.camera.height);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  // A cleared scratch canvas of the window's size.
  sheet(canvas) {
    const { width, height } = this.canvas;
    const context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, width, height);
    return context;
  }

  tint(context, colour) {
    context.globalCompositeOperation = "source-in";
    context.fillStyle = colour;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  stamp(canvas, alpha) {
    this.context.globalAlpha = alpha;
    this.context.drawImage(canvas, 0, 0);
    this.context.globalAlpha = 1;
  }

  masks(side) {
    const { options, model, still } = this.state;
    for (const { bitmap, object: id } of side.layers) {
      const object = id !== undefined && model.object(id);
      if (!object || !bitmap) continue;
      const sheet = this.sheet(this.scratch);
      this.image(sheet, bitmap);
      this.tint(sheet, object.colour);
      this.stamp(this.scratch, options.opacity * object.opacity);
      if (options.outline && still) this.outline(bitmap, object.colour);
    }
  }

  // The mask moved about a device pixel to all sides, less the mask: a thin line around it.
  outline(bitmap, colour) {
    const { camera } = this.state;
    const sheet = this.sheet(this.ring);
    const reach = 1.25 * (window.devicePixelRatio || 1);
    const { x, y } = camera;
    for (let turn = 0; turn < 8; turn++) {
      camera.x = x + reach * Math.cos((turn * Math.PI) / 4);
      camera.y = y + reach * Math.sin((turn * Math.PI) / 4);
      this.image(sheet, bitmap);
    }
    [camera.x, camera.y] = [x, y];
    sheet.globalCompositeOperation = "destination-out";
    this.image(sheet, bitmap);
    this.tint(sheet, colour);
    this.stamp(this.ring, 1);
  }

  cutout(foreground, alpha) {
    if (!foreground || !alpha) return;
    const sheet = this.sheet(this.scratch);
    this.image(sheet, foreground);
    sheet.globalCompositeOperation = "destination-in";
    this.image(sheet, alpha);
    this.stamp(this.scratch, 1);
  }

  backdrop() {
    const { options, backdropImage, camera } = this.state;
    if (options.backdrop === "image" && backdropImage) return this.cover(backdropImage, camera);
    if (/^#[0-9a-f]{6}$/i.test(options.backdrop)) return this.fill(this.context, options.backdrop);
    this.context.save();
    this.place(this.context);
    this.context.beginPath();
    this.context.rect(0, 0, camera.width, camera.height);
    this.context.clip();
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.fillStyle = this.checker();
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.restore();
  }

  // An image behind the picture: fills it, cut where its shape differs.
  cover(image, camera) {
    const wide = camera.width * camera.aspect;
    const scale = Math.max(wide / image.width, camera.height / image.height);
    const [width, height] = [wide / scale, camera.height / scale];
    this.place(this.context);
    this.context.drawImage(
      image, (image.width - width) / 2, (image.height - height) / 2, width, height, 0, 0, camera.width, camera.height);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
  }

  checker() {
    const size = Math.round(CHECKER * (window.devicePixelRatio || 1));
    if (this.pattern?.size === size) return this.pattern.fill;
    const tile = document.createElement("canvas");
    tile.width = tile.height = size * 2;
    const context = tile.getContext("2d");
    context.fillStyle = "#8c8c8c";
    context.fillRect(0, 0, size * 2, size * 2);
    context.fillStyle = "#b4b4b4";
    context.fillRect(0, 0, size, size);
    context.fillRect(size, size, size, size);
    this.pattern = { size, fill: this.context.createPattern(tile, "repeat") };
    return this.pattern.fill;
  }
}
