// Small makers of elements, and the few icons that the stage needs.
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  back: "M15 5v14l-9-7zM17 5h2v14h-2z",
  forward: "M9 5v14l9-7zM5 5h2v14H5z",
  first: "M18 5v14l-9-7zM6 5h2v14H6z",
  last: "M6 5v14l9-7zM16 5h2v14h-2z",
  previous_keyframe: "M16 6l6 6-6 6-6-6zM8 6v12l-6-6z",
  next_keyframe: "M8 6l6 6-6 6-6-6zM16 6v12l6-6z",
  in: "M14 4H8v16h6v-2h-4V6h4z",
  out: "M10 4h6v16h-6v-2h4V6h-4z",
  clear_range: "M6.4 5L5 6.4 10.6 12 5 17.600 6.4 19 12 13.400 17.600 19 19 17.600 13.400 12 19 6.400 17.600 5 12 10.600z",
  loop: "M7 7h9v3l5-4-5-4v3H5v7h2zM17 17H8v-3l-5 4 5 4v-3h11v-7h-2z",
  fit: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  zoom_in: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  zoom_out: "M5 11h14v2H5z",
  wipe: "M11 3h2v18h-2zM3 6h6v12H3zM15 6h6v12h-6v-2h4V8h-4z",
  outline: "M12 4a8 8 0 1 0 .01 0zM12 6a6 6 0 1 1-.01 0z",
};

export function make(tag, className = "", parent = null, attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

export function setIcon(button, name) {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${PATHS[name]}"/></svg>`;
}

// A button of a bar: with an icon where there is one, else with its text.
export function makeButton(parent, { icon, label, tip = label, act }) {
  const button = make("button", icon ? "sm-button sm-icon" : "sm-button", parent, { type: "button" });
  if (icon) setIcon(button, icon);
  else button.textContent = label;
  button.setAttribute("aria-label", label);
  button.title = tip;
  button.addEventListener("click", act);
  return button;
}

export function makeSelect(parent, label, choices, act) {
  const select = make("select", "sm-select", parent, { "aria-label": label, title: label });
  for (const [value, text] of choices) make("option", "", select, { value }).textContent = text;
  select.addEventListener("change", () => act(select.value));
  return select;
}
