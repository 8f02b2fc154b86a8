// What lies over the picture and is no picture: points, boxes, strokes on their way, the brush's circle, the divider.
const DARK = "rgba(0, 0, 0, 0.75)";

const ratio = () => window.devicePixelRatio || 1;

// The prompts of the current object on the shown frame, in the window's pixels.
export function drawPrompts(context, camera, object, prompts) {
  if (!prompts) return;
  if (prompts.box) drawBox(context, camera, prompts.box, object.colour);
  for (const [x, y, positive] of prompts.points ?? []) drawPoint(context, ...camera.toView(x, y), positive, object.colour);
}

// A plus or a minus in a disc; the shape tells them apart, not the colour alone.
export function drawPoint(context, px, py, positive, colour) {
  const size = 6 * ratio();
  const arm = size * 0.55;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.beginPath();
  context.arc(px, py, size, 0, 2 * Math.PI);
  context.fillStyle = positive ? colour : "#1c1c1c";
  context.fill();
  context.lineWidth = 3 * ratio();
  context.strokeStyle = DARK;
  context.stroke();
  context.lineWidth = 1.5 * ratio();
  context.strokeStyle = positive ? "#fff" : "#ff5a52";
  context.stroke();
  context.beginPath();
  context.moveTo(px - arm, py);
  context.lineTo(px + arm, py);
  if (positive) {
    context.moveTo(px, py - arm);
    context.lineTo(px, py + arm);
  }
  context.stroke();
}

export function drawBox(context, camera, [x0, y0, x1, y1], colour) {
  const [left, top] = camera.toView(x0, y0);
  const [right, bottom] = camera.toView(x1, y1);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.lineWidth = 3 * ratio();
  context.strokeStyle = DARK;
  context.strokeRect(left, top, right - left, bottom - top);
  context.lineWidth = 1.5 * ratio();
  context.strokeStyle = colour;
  context.setLineDash([6 * ratio(), 4 * ratio()]);
  context.strokeRect(left, top, right - left, bottom - top);
  context.setLineDash([]);
}

function strokePath(context, camera, points, radius) {
  context.setTransform(camera.scaleX, 0, 0, camera.scale, camera.x + camera.scaleX / 2, camera.y + camera.scale / 2);
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = 2 * radius;
  context.beginPath();
  context.moveTo(...points[0]);
  if (points.length === 1) context.lineTo(points[0][0] + 1e-3, points[0][1]);
  for (const point of points.slice(1)) context.lineTo(...point);
  context.stroke();
}

// A stroke before its mask is there: paint in the object's colour, or the bare picture where it takes away.
export function drawStroke(context, painter, camera, stroke, { mode, colour, opacity, frame }) {
  const sheet = painter.sheet(painter.scratch);
  sheet.strokeStyle = mode === "mask" ? (stroke.positive ? "#fff" : "#000") : colour;
  strokePath(sheet, camera, stroke.points, stroke.radius);
  sheet.setTransform(1, 0, 0, 1, 0, 0);
  if (mode !== "mask" && !stroke.positive && frame) {
    sheet.globalCompositeOperation = "source-in";
    painter.image(sheet, frame);
  }
  context.globalAlpha = mode === "mask" || !stroke.positive ? 1 : opacity;
  context.drawImage(painter.scratch, 0, 0);
  context.globalAlpha = 1;
}

export function drawBrush(context, [px, py], radius, aspect, positive) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  for (const [width, style, dash] of [[2.5, DARK, []], [1, "#fff", positive ? [] : [4 * ratio(), 3 * ratio()]]]) {
    context.beginPath();
    context.ellipse(px, py, Math.max(1, radius * aspect), Math.max(1, radius), 0, 0, 2 * Math.PI);
    context.lineWidth = width * ratio();
    context.strokeStyle = style;
    context.setLineDash(dash);
    context.stroke();
  }
  context.setLineDash([]);
}

export function drawDivider(context, px, height) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = DARK;
  context.fillRect(px - 1.5 * ratio(), 0, 3 * ratio(), height);
  context.fillStyle = "#fff";
  context.fillRect(px - 0.5 * ratio(), 0, ratio(), height);
  context.beginPath();
  context.arc(px, height / 2, 9 * ratio(), 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.fill();
  context.strokeStyle = "#222";
  context.lineWidth = 1.5 * ratio();
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(px + side * 2 * ratio(), height / 2 - 3 * ratio());
    context.lineTo(px + side * 5 * ratio(), height / 2);
    context.lineTo(px + side * 2 * ratio(), height / 2 + 3 * ratio());
  }
  context.stroke();
}
