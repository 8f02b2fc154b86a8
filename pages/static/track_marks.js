// How points, trails and motions look over the picture, in the window's pixels.
const DARK = "rgba(0, 0, 0, 0.7)";
const FADES = [0.25, 0.5, 0.85]; // opacity of a trail's thirds, the oldest first
const FAINT = 0.35; // opacity of a point that nothing is sure of

const ratio = () => window.devicePixelRatio || 1;

// places: [[px, py] or null] from the oldest to the newest; null where the point was not seen.
export function drawTrail(context, places, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * ratio();
  context.lineJoin = "round";
  FADES.forEach((opacity, third) => {
    const from = Math.floor((places.length * third) / 3);
    const part = places.slice(from, Math.floor((places.length * (third + 1)) / 3) + 1);
    context.globalAlpha = opacity;
    context.beginPath();
    let down = false;
    for (const place of part) {
      if (place) context[down ? "lineTo" : "moveTo"](...place);
      down = Boolean(place);
    }
    context.stroke();
  });
  context.globalAlpha = 1;
}

// A disc where the point is seen, a ring where it is only guessed; a diamond around a key; a halo where it is selected.
export function drawTracked(context, [px, py], { colour, seen, confidence, key, selected, stale }) {
  const size = (selected ? 5.5 : 4) * ratio();
  context.globalAlpha = Math.max(FAINT, confidence);
  if (selected) {
    circle(context, px, py, size + 3 * ratio());
    context.strokeStyle = "#fff";
    context.lineWidth = 1.5 * ratio();
    context.stroke();
  }
  circle(context, px, py, size);
  context.lineWidth = 3 * ratio();
  context.strokeStyle = DARK;
  context.stroke();
  if (seen) {
    context.fillStyle = colour;
    context.fill();
  }
  context.lineWidth = 1.5 * ratio();
  context.strokeStyle = seen ? "#fff" : colour;
  context.setLineDash(stale ? [2 * ratio(), 2 * ratio()] : []);
  context.stroke();
  context.setLineDash([]);
  if (key) diamond(context, px, py, size + 2.5 * ratio(), colour);
  context.globalAlpha = 1;
}

// The same in a hurry: many points while frames go by.
export function drawBrief(context, [px, py], { colour, seen, confidence }) {
  const size = 3 * ratio();
  context.globalAlpha = Math.max(FAINT, confidence);
  context[seen ? "fillStyle" : "strokeStyle"] = colour;
  context.lineWidth = ratio();
  context[seen ? "fillRect" : "strokeRect"](px - size, py - size, 2 * size, 2 * size);
  context.globalAlpha = 1;
}

export function drawName(context, [px, py], text) {
  context.font = `${11 * ratio()}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.lineWidth = 3 * ratio();
  context.strokeStyle = DARK;
  context.fillStyle = "#fff";
  for (const draw of ["strokeText", "fillText"]) context[draw](text, px + 10 * ratio(), py - 9 * ratio());
}

// A motion on a frame: the cross of one place, or the quadrangle of four; handles where the corners can be moved.
export function drawMotion(context, places, handles) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  const path = () => {
    context.beginPath();
    if (places.length > 1) {
      places.forEach((place, index) => context[index ? "lineTo" : "moveTo"](...place));
      return context.closePath();
    }
    const [[px, py]] = places;
    for (const [dx, dy] of [[12, 0], [0, 12]].map((one) => one.map((part) => part * ratio()))) {
      context.moveTo(px - dx, py - dy);
      context.lineTo(px + dx, py + dy);
    }
    circle(context, px, py, 7 * ratio(), false);
  };
  for (const [width, style] of [[4, DARK], [2, "#ffe14d"]]) {
    path();
    context.lineWidth = width * ratio();
    context.strokeStyle = style;
    context.stroke();
  }
  for (const [px, py] of handles) {
    const half = 5 * ratio();
    context.fillStyle = "#ffe14d";
    context.fillRect(px - half, py - half, 2 * half, 2 * half);
    context.strokeStyle = "#000";
    context.lineWidth = ratio();
    context.strokeRect(px - half, py - half, 2 * half, 2 * half);
  }
}

function circle(context, px, py, size, begin = true) {
  if (begin) context.beginPath();
  else context.moveTo(px + size, py);
  context.arc(px, py, size, 0, 2 * Math.PI);
}

function diamond(context, px, py, reach, colour) {
  context.beginPath();
  context.moveTo(px, py - reach);
  context.lineTo(px + reach, py);
  context.lineTo(px, py + reach);
  context.lineTo(px - reach, py);
  context.closePath();
  context.lineWidth = 1.5 * ratio();
  context.strokeStyle = colour;
  context.stroke();
}
