// The two bars: views above the picture, transport below it. They show the host's state and call its actions.
import { make, makeButton, makeSelect, setIcon } from "./dom.js";
import { VIEWS } from "./model.js";

const NAMES = { source: "Source", overlay: "Overlay", mask: "Mask", alpha: "Alpha", foreground: "Foreground", composite: "Composite" };

export const group = (parent, role, label) => make("div", "sm-group", parent, { role, "aria-label": label });

// The buttons for zoom, and the element that shows it.
export function makeZoom(host, root) {
  const zoom = group(root, "group", host.t("Zoom"));
  zoom.classList.add("sm-zooms");
  const button = (icon, text) => makeButton(zoom, { icon, label: host.t(text), tip: host.tip(text, icon), act: () => host.run(icon) });
  button("fit", "Fit picture");
  const actual = () => host.run("actual");
  makeButton(zoom, { label: "1:1", tip: host.tip("Actual pixels (1:1)", "actual"), act: actual });
  button("zoom_out", "Zoom out").classList.add("sm-step");
  const shown = make("span", "sm-zoom", zoom);
  button("zoom_in", "Zoom in").classList.add("sm-step");
  return shown;
}

// Nothing without a picture.
export const zoomText = (camera, model) => (model.frames ? `${Math.round(camera.scale * 100)} %` : "");

export class ViewBar {
  constructor(host, parent) {
    this.host = host;
    this.root = make("div", "sm-bar", parent, { role: "toolbar", "aria-label": host.t("Views") });
    const views = group(this.root, "group", host.t("Views"));
    views.classList.add("sm-views");
    this.buttons = VIEWS.map((view) => {
      const act = () => host.change({ view });
      return makeButton(views, { label: host.t(NAMES[view]), tip: host.tip(NAMES[view], `view_${view}`), act });
    });
    const wipe = group(this.root, "group", host.t("Wipe"));
    this.wipe = makeButton(wipe, { icon: "wipe", label: host.t("Wipe"), tip: host.tip("Wipe", "wipe"), act: () => host.run("wipe") });
    this.second = makeSelect(wipe, host.t("Second view of the wipe"), VIEWS.map((view) => [view, host.t(NAMES[view])]),
      (view_b) => host.change({ view_b }));
    make("span", "sm-newline", this.root);
    this.makeBackdrop();
    this.makeOverlay();
    this.zoom = makeZoom(host, this.root);
  }

  makeBackdrop() {
    const { host } = this;
    this.back = group(this.root, "group", host.t("Backdrop"));
    const choices = [["checker", host.t("Checker")], ["colour", host.t("Colour")], ["image", host.t("Image…")]];
    this.backdrop = makeSelect(this.back, host.t("Backdrop"), choices, (choice) => {
      if (choice === "image") this.file.click();
      host.change({ backdrop: choice === "colour" ? this.colour.value : choice });
    });
    this.colour = make("input", "sm-colour", this.back, { type: "color", value: "#00b140", "aria-label": host.t("Backdrop colour") });
    this.colour.addEventListener("input", () => host.change({ backdrop: this.colour.value }));
    this.file = make("input", "", this.back, { type: "file", accept: "image/*", hidden: "" });
    this.file.addEventListener("change", () => this.file.files[0] && host.setBackdropImage(this.file.files[0]));
  }

  makeOverlay() {
    const { host } = this;
    this.over = group(this.root, "group", host.t("Overlay"));
    const label = host.t("Overlay opacity");
    this.opacity = make("input", "sm-range", this.over, { type: "range", min: 0, max: 100, "aria-label": label, title: label });
    this.opacity.addEventListener("input", () => host.change({ opacity: this.opacity.value / 100 }));
    const act = () => host.change({ outline: !host.options.outline });
    this.outline = makeButton(this.over, { icon: "outline", label: host.t("Outline"), act });
  }

  update() {
    const { options, camera, model } = this.host;
    for (const control of this.root.querySelectorAll("button, input, select")) control.disabled = !model.frames;
    const press = (button, on) => button.setAttribute("aria-pressed", String(Boolean(on)));
    VIEWS.forEach((view, index) => press(this.buttons[index], options.view === view));
    press(this.wipe, options.wipe);
    press(this.outline, options.outline);
    const shown = options.wipe ? [options.view, options.view_b] : [options.view];
    this.second.hidden = !options.wipe;
    this.second.value = options.view_b;
    this.back.hidden = !shown.includes("composite");
    this.over.hidden = !shown.includes("overlay");
    const colour = options.backdrop.startsWith("#");
    this.backdrop.value = colour ? "colour" : options.backdrop;
    this.colour.hidden = !colour;
    if (colour) this.colour.value = options.backdrop;
    this.opacity.value = Math.round(options.opacity * 100);
    this.zoom.textContent = zoomText(camera, model);
  }
}

export class TransportBar {
  constructor(host, parent) {
    this.host = host;
    this.root = make("div", "sm-bar sm-transport", parent, { role: "toolbar", "aria-label": host.t("Transport") });
    const button = (place, action, text) =>
      makeButton(place, { icon: action, label: host.t(text), tip: host.tip(text, action), act: () => host.run(action) });
    const where = make("div", "sm-group sm-where", this.root);
    this.field = make("input", "sm-frame", where, { type: "text", inputmode: "numeric", "aria-label": host.t("Frame") });
    this.count = make("span", "sm-dim", where);
    this.timecode = make("span", "sm-timecode", where, { title: host.t("Time code"), "aria-label": host.t("Time code") });
    const middle = make("div", "sm-group sm-middle", this.root);
    button(middle, "first", "First frame");
    button(middle, "previous_keyframe", "Previous keyframe");
    button(middle, "back", "One frame back");
    this.play = button(middle, "play", "Play");
    this.play.classList.add("sm-play");
    button(middle, "forward", "One frame forward");
    button(middle, "next_keyframe", "Next keyframe");
    button(middle, "last", "Last frame");
    const range = make("div", "sm-group sm-points", this.root);
    button(range, "in", "Set in point");
    button(range, "out", "Set out point");
    this.clear = button(range, "clear_range", "Clear in and out points");
    this.range = make("span", "sm-dim sm-span", range);
    const toggle = () => host.change({ loop: !host.options.loop });
    this.loop = makeButton(range, { icon: "loop", label: host.t("Loop"), act: toggle });
    this.listen();
  }

  // Enter or leaving the field goes there; Escape takes it back.
  listen() {
    const go = () => {
      const frame = Number.parseInt(this.field.value, 10);
      if (Number.isFinite(frame)) this.host.seek(frame);
      this.field.value = String(this.host.frame);
    };
    this.field.addEventListener("focus", () => this.field.select());
    this.field.addEventListener("change", go);
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.field.value = String(this.host.frame);
      if (event.key === "Enter" || event.key === "Escape") this.field.blur();
    });
  }

  update() {
    const { host } = this;
    const { model, frame, options, range } = host;
    for (const control of this.root.querySelectorAll("button, input")) control.disabled = !model.frames;
    if (document.activeElement !== this.field) this.field.value = model.frames ? String(frame) : "";
    this.count.textContent = host.t("of {count}").replace("{count}", String(Math.max(0, model.frames - 1)));
    this.timecode.textContent = model.frames ? model.timecode(frame) : "--:--:--:--";
    setIcon(this.play, host.playing ? "pause" : "play");
    const text = host.playing ? "Pause" : "Play";
    this.play.setAttribute("aria-label", host.t(text));
    this.play.title = host.tip(text, "play");
    this.loop.setAttribute("aria-pressed", String(Boolean(options.loop)));
    this.clear.disabled = !range;
    this.range.textContent = range ? `${range[0]}–${range[1] - 1}` : "";
    this.range.title = range
      ? host.t("Range {start} to {stop}").replace("{start}", range[0]).replace("{stop}", range[1] - 1) : "";
  }
}
