// The bar above the picture on the tracking page: how tracks are shown, and zoom.
import { group, makeZoom, zoomText } from "./bars.js";
import { make, makeButton } from "./dom.js";

const TOGGLES = [["trails", "Trails"], ["labels", "Names"], ["raw", "Raw"], ["curves", "Curves"]];
const TIPS = { trails: "Trails on or off", labels: "Names on or off", raw: "Raw tracks on or off", curves: "Curves on or off" };

export class TrackBar {
  constructor(host, parent) {
    this.host = host;
    this.root = make("div", "sm-bar", parent, { role: "toolbar", "aria-label": host.t("Tracks") });
    const shown = group(this.root, "group", host.t("Tracks"));
    this.buttons = TOGGLES.map(([name, text]) => {
      const button = makeButton(shown, { label: host.t(text), tip: host.tip(TIPS[name], name), act: () => host.run(name) });
      if (name === "trails") this.makeLength(shown);
      return [name, button];
    });
    this.zoom = makeZoom(host, this.root);
  }

  makeLength(parent) {
    const { host } = this;
    const label = host.t("Length of trails");
    this.length = make("input", "sm-range", parent, { type: "range", min: 2, max: 120, "aria-label": label, title: label });
    this.length.addEventListener("input", () => host.change({ trail: Number(this.length.value) }));
  }

  update() {
    const { options, camera, model } = this.host;
    for (const control of this.root.querySelectorAll("button, input")) control.disabled = !model.frames;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(Boolean(options[name])));
    this.buttons.find(([name]) => name === "raw")[1].disabled = !model.view?.tracks?.raw;
    this.length.value = options.trail;
    this.length.hidden = !options.trails;
    this.zoom.textContent = zoomText(camera, model);
  }
}
