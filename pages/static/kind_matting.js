// What the stage is for matting sessions: the browser's half of pages/stage_kinds.py.
import { ViewBar } from "./bars.js";
import { Model } from "./model.js";
import { Overlay } from "./overlay.js";

export const KIND = {
  Model,
  Overlay,
  Bar: ViewBar,
  options: { tool: "point", brush_radius: 12, current_object: null, view: "overlay", view_b: "source", wipe: false,
    backdrop: "checker", opacity: 0.5, outline: true, loop: true },
  laneOptions: ["current_object"], // those that the timeline shows
  modes: (options) => (options.wipe ? [options.view, options.view_b] : [options.view]),
};
