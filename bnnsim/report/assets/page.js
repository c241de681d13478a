"use strict";
// The page's own machinery: theme, CSV, tracks, and the list of figures that scripts draw.
const bnnsim = { scripts: {}, csv: {}, redraw: [], ready: [] };

bnnsim.colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
bnnsim.count = value => Math.round(value).toLocaleString("en-US");
bnnsim.short = value => {
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6) return +(value / 1e6).toPrecision(3) + " M";
  if (magnitude >= 1e3) return +(value / 1e3).toPrecision(3) + " k";
  return String(+value.toPrecision(3));
};
bnnsim.data = id => {
  const element = document.getElementById(id + "-data");
  return element ? JSON.parse(element.textContent) : null;
};

// Parts of a long page, put where they belong.
bnnsim.unpack = async element => {
  const text = await inflated(element.dataset.packed).text();
  element.removeAttribute("data-packed");
  if (element.tagName === "SCRIPT") element.textContent = text; else element.innerHTML = text;
};

// Pairs of numbers: 7-bit groups, lowest first, deflated, base64.
bnnsim.decodePairs = async text => {
  const bytes = new Uint8Array(await inflated(text).arrayBuffer());
  const first = [], second = [];
  let value = 0, scale = 1, isFirst = true;
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    if (byte > 127) { scale *= 128; continue; }
    (isFirst ? first : second).push(value);
    isFirst = !isFirst;
    value = 0;
    scale = 1;
  }
  return [first, second];
};

bnnsim.canvas = (canvas, height) => {
  const width = Math.max(240, canvas.parentElement.clientWidth);
  // No browser draws a canvas of more than some 32,000 pixels in a direction.
  const ratio = Math.min(window.devicePixelRatio || 1, 32000 / height);
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width];
};

bnnsim.fit = (context, text, width) => {
  if (context.measureText(text).width <= width) return text;
  while (text.length > 2 && context.measureText(text + "…").width > width) text = text.slice(0, -1);
  return text + "…";
};

// The width left of a chart for its names: as wide as the longest, within a share of the chart.
bnnsim.gutter = (canvas, names, least, share) => {
  const context = canvas.getContext("2d");
  context.font = "600 12px system-ui, sans-serif";
  const longest = 20 + Math.max(0, ...names.map(name => context.measureText(name).width));
  return () => canvas.clientWidth < 620 ? 92 : Math.max(least, Math.min(longest, share * canvas.clientWidth));
};

// A stream's name for reading: it may break behind its arrow, not within.
bnnsim.arrowed = name => name.replaceAll("->", "\u00a0→ ");

bnnsim.press = (button, on) => button.setAttribute("aria-pressed", on ? "true" : "false");

function copyText(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// More rows than these freeze the page while they are copied.
bnnsim.mostCsvRows = 100000;

// CSV of what is in view: of each row the entries from span(row)[0] up to span(row)[1], a line(row, entry)
// each; the number of entries alone where they are too many.
bnnsim.csvInView = (header, rows, span, line) => {
  const spans = rows.map(span), count = spans.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0);
  if (count > bnnsim.mostCsvRows) return count;
  const lines = [header];
  rows.forEach((row, k) => { for (let i = spans[k][0]; i < spans[k][1]; i++) lines.push(line(row, i)); });
  return lines.join("\n") + "\n";
};

function embeddedCsv(id) {
  return document.getElementById(id + "-csv").textContent.replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

function say(button, text) {
  button.textContent = text;
  button.focus({ preventScroll: true });
  setTimeout(() => { button.textContent = "Copy as CSV"; }, 4000);
}

async function copyCsv(button) {
  const id = button.dataset.figure;
  const text = bnnsim.csv[id] ? bnnsim.csv[id]() : embeddedCsv(id);
  bnnsim.lastCsv = text;
  if (typeof text === "number") {
    say(button, `${bnnsim.count(text)} rows in view: zoom in to ${bnnsim.count(bnnsim.mostCsvRows)}`);
    return;
  }
  let done = copyText(text);
  if (!done && navigator.clipboard) done = await navigator.clipboard.writeText(text).then(() => true, () => false);
  const lines = text.trimEnd().split("\n").length - 1;
  say(button, done ? `Copied ${bnnsim.count(lines)} rows` : "Copying is not allowed here");
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  bnnsim.redraw.forEach(draw => draw());
}

bnnsim.drawAll = () => {
  for (const section of document.querySelectorAll("section[data-script]")) {
    const draw = bnnsim.scripts[section.dataset.script];
    bnnsim.ready.push(Promise.resolve(draw(section, bnnsim.data(section.id))).then(() => {
      section.dataset.drawn = "true";
    }));
  }
};

bnnsim.start = () => {
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  setTheme(prefersDark.matches ? "dark" : "light");
  prefersDark.addEventListener("change", event => setTheme(event.matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () =>
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  document.querySelectorAll("button.csv").forEach(button =>
    button.addEventListener("click", () => copyCsv(button)));
  const packed = [...document.querySelectorAll("[data-packed]")];
  if (!packed.length) bnnsim.drawAll();
  else Promise.all(packed.map(bnnsim.unpack)).then(() => {
    bnnsim.drawAll();
    const wanted = location.hash && document.getElementById(location.hash.slice(1));
    if (wanted) wanted.scrollIntoView(); // where it was, before the figures above it grew
  });
  let timer = 0;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => bnnsim.redraw.forEach(draw => draw()), 60);
  });
};
