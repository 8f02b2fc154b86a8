// What the stage is for tracking sessions: the browser's half of pages/stage_kinds.py.
import { Curves } from "./curves.js";
import { TrackBar } from "./track_bar.js";
import { TrackModel } from "./track_model.js";
import { TrackOverlay } from "./track_overlay.js";

export const KIND = {
  Model: TrackModel,
  Overlay: TrackOverlay,
  Bar: TrackBar,
  Below: Curves,
  options: { tool: "point", selected: [], motion: null, trails: true, trail: 24, labels: false, raw: false, curves: true,
    loop: true, opacity: 0.5, outline: true },
  laneOptions: ["selected", "raw"], // those that the timeline shows
  modes: () => ["overlay"],
};
