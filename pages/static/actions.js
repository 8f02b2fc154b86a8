// Actions by name: what a key, a button or Python's run() does. `host` is the StageController.
import { VIEWS } from "./model.js";

const TOOLS = ["point", "box", "brush", "eraser", "select", "region", "object", "pan"];
const TOGGLES = ["trails", "labels", "raw", "curves"];

function jumpKeyframe(host, way) {
  const frames = host.model.stops(host);
  const target = way > 0 ? frames.find((frame) => frame > host.frame) : frames.filter((frame) => frame < host.frame).at(-1);
  if (target !== undefined) host.seek(target);
}

// In and out include the frame one is on; a point that crosses the other one takes its place to the clip's end.
function setRange(host, end) {
  const [start, stop] = host.range ?? [0, host.model.frames];
  const range = end === "in" ? [host.frame, stop > host.frame ? stop : host.model.frames]
    : [start <= host.frame ? start : 0, host.frame + 1];
  host.setRange(range);
}

function zoom(host, factor) {
  host.camera.zoomAt(factor, host.camera.viewWidth / 2, host.camera.viewHeight / 2);
  host.redraw();
}

export const ACTIONS = {
  play: (host) => (host.playing ? host.pause() : host.play()),
  back: (host) => host.seek(host.frame - 1),
  forward: (host) => host.seek(host.frame + 1),
  back10: (host) => host.seek(host.frame - 10),
  forward10: (host) => host.seek(host.frame + 10),
  first: (host) => host.seek(0),
  last: (host) => host.seek(host.model.frames - 1),
  previous_keyframe: (host) => jumpKeyframe(host, -1),
  next_keyframe: (host) => jumpKeyframe(host, 1),
  in: (host) => setRange(host, "in"),
  out: (host) => setRange(host, "out"),
  clear_range: (host) => host.setRange(null),
  fit: (host) => { host.camera.fit(); host.redraw(); },
  actual: (host) => { host.camera.actual(); host.redraw(); },
  zoom_in: (host) => zoom(host, 1.25),
  zoom_out: (host) => zoom(host, 0.8),
  brush_smaller: (host) => host.scaleBrush(0.8),
  brush_larger: (host) => host.scaleBrush(1.25),
  wipe: (host) => host.change({ wipe: !host.options.wipe }),
  cancel: (host) => host.cancel(),
  select_all: (host) => host.overlay.selectAll?.(),
  ...Object.fromEntries(TOGGLES.map((name) => [name, (host) => host.change({ [name]: !host.options[name] })])),
  ...Object.fromEntries(TOOLS.map((tool) => [`tool_${tool}`, (host) => host.change({ tool })])),
  ...Object.fromEntries(VIEWS.map((view) => [`view_${view}`, (host) => host.change({ view })])),
};

// "ctrl+shift+z" of an event, as pages/keys.py writes it. Shift counts only where it does not make another character.
export function combination(event) {
  let key = event.key === " " ? "space" : event.key.toLowerCase();
  const letter = /^Key([A-Z])$/.exec(event.code ?? "");
  if (letter && !/^[a-z]$/.test(key)) key = letter[1].toLowerCase(); // an input method, or Alt's special characters
  const command = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (key.length > 1 || /^[a-z]$/.test(key));
  return `${command ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

const TYPING = "input:not([type=checkbox]):not([type=radio]):not([type=color]):not([type=range]):not([type=file]), textarea, select, [contenteditable=true]";
const DIALOGS = ".q-dialog, .q-menu, [role=dialog], [role=menu], [role=listbox]";
const PRESSABLE = "button, a[href], [role=button], [role=switch], [role=checkbox], [role=tab], [role=radio], summary, input";
const MOVABLE = "input[type=range], input[type=radio], .q-slider, [role=tab], [role=radio], [role=radiogroup], [role=tree]";

// Whether a key belongs to what has the focus: typing, a dialog, a button's space and enter, a slider's arrows.
export function belongsElsewhere(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.isComposing || target.closest(TYPING) || target.closest(DIALOGS)) return true;
  if (document.querySelector(".q-dialog [role=dialog], .q-dialog__inner")) return true;
  const key = event.key;
  if ((key === " " || (key === "Enter" && !event.ctrlKey && !event.metaKey)) && target.closest(PRESSABLE)) return true;
  return /^(Arrow|Home|End)/.test(key) && Boolean(target.closest(MOVABLE));
}

export const SAYS_SPACE = (event) => event.key === " " && !event.ctrlKey && !event.metaKey && !event.altKey;
