"use strict";
/* What all pages with plotly's pictures have in common: words, looks, pictures, files to save. */
const info = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const narrow = () => window.innerWidth < 900;
const config = { responsive: true, displaylogo: false, displayModeBar: false };

function escaped(text) {
  const box = document.createElement("span");
  box.textContent = String(text);
  return box.innerHTML.replaceAll('"', "&quot;");
}

function number(value) {
  if (value === null || value === undefined) return "–";
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/* A number in few characters, for axes. */
function brief(value) {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= size) return `${+(value / size).toPrecision(4)}${letter}`;
  }
  return String(+value.toPrecision(4));
}

function layout() {
  const grid = colour("line");
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("text"), size: 13 },
    margin: { l: narrow() ? 48 : 64, r: 14, t: 34, b: 50 }, hovermode: "closest", dragmode: narrow() ? false : "zoom",
    hoverlabel: { align: "left", bgcolor: colour("surface"), bordercolor: colour("line"), font: { color: colour("text"), size: 12 } },
    showlegend: false, xaxis: { gridcolor: grid, zerolinecolor: grid, tickangle: 0 }, yaxis: { gridcolor: grid, zerolinecolor: grid },
  };
}

/* A figure's name above a column: it may break before its last two words. */
const headed = (text) => text.replace(" a ", " a\u00a0");

/* An axis' name below its numbers. */
const named = (text) => ({ text, font: { size: 13 }, standoff: 8 });

/* An axis' name above the picture, where no number stands and no point lies. */
function heading(text) {
  return { xref: "paper", yref: "paper", x: 0, y: 1, xshift: narrow() ? -44 : -56, yshift: 8, xanchor: "left", yanchor: "bottom", showarrow: false, text };
}

/* Ticks of a logarithmic axis at 1, 2 and 5, fewer where there are too many; range in powers of ten. */
function logTicks([low, high], most = narrow() ? 5 : 9) {
  const steps = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];
  const made = (digits) => {
    const found = [];
    for (let power = Math.floor(low) - 1; power <= Math.ceil(high) + 1; power += 1) found.push(...digits.map((digit) => digit * 10 ** power));
    return found;
  };
  const inside = (found) => found.filter((v) => Math.log10(v) >= low && Math.log10(v) <= high).length;
  const tickvals = steps.map(made).find((found) => inside(found) <= most) || made([1]);
  return { tickvals, ticktext: tickvals.map(brief) };
}

/* What a trace is called stands above the picture, in its colour and shape; a press hides or shows it. */
const MARKS = { circle: "●", square: "■", diamond: "◆", cross: "✚", "triangle-up": "▲", "triangle-down": "▼", pentagon: "⬟", star: "★", "star-diamond": "✦", x: "✖" };
function legend(box, traces) {
  const named = traces.map((trace, i) => [trace, i]).filter(([trace]) => trace.name && trace.showlegend !== false);
  let list = box.previousElementSibling;
  if (!list || !list.classList.contains("legend")) {
    list = document.createElement("div");
    list.className = "legend";
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Shown");
    box.before(list);
  }
  list.hidden = named.length < 2;
  list.replaceChildren(...named.map(([trace, i]) => {
    const button = document.createElement("button"), mark = document.createElement("i");
    const shape = [trace.marker?.symbol ?? "line"].flat()[0] ?? "circle", shade = [trace.marker?.color ?? trace.line?.color].flat()[0];
    const plain = String(shape).replace(/-open$/, "").replace(/-thin$/, "");
    mark.textContent = trace.type === "bar" ? "■" : trace.mode === "lines" ? "━" : MARKS[plain] || "●";
    mark.style.color = shade;
    mark.setAttribute("aria-hidden", "true");
    const text = document.createElement("span");
    text.innerHTML = trace.name; // escaped already, where it is not the page's own
    button.type = "button";
    const isShown = () => box.data[i].visible !== "legendonly";
    button.setAttribute("aria-pressed", String(trace.visible !== "legendonly"));
    button.append(mark, text);
    button.onclick = () => {
      const group = box.data.map((one, k) => k).filter((k) => k === i || (trace.legendgroup && box.data[k].legendgroup === trace.legendgroup));
      Plotly.restyle(box, { visible: isShown() ? "legendonly" : true }, group);
      button.setAttribute("aria-pressed", String(isShown()));
    };
    return button;
  }));
}

/* Draw, and say in words what a picture shows; without the library the page says what is missing. */
function picture(id, traces, look, spoken, more = {}) {
  const box = $(id);
  if (traces[0].type !== "parcoords") legend(box, traces);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", spoken);
  if (typeof Plotly === "undefined") { $("no-pictures").hidden = false; return; }
  Plotly.react(box, traces, look, { ...config, ...more });
}

/* ---- files to save ------------------------------------------------------------------------ */

function save(name, address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

function saveText(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  save(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const csvCell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const csvText = (header, rows) => [header, ...rows].map((row) => row.map(csvCell).join(",") + "\n").join("");

/* As on the screen, on the page's own ground instead of none. */
async function savePicture(id, format) {
  const box = $(id);
  const ground = { paper_bgcolor: colour("surface"), plot_bgcolor: colour("surface") };
  const words = { showlegend: true, legend: { orientation: "h", y: -.18, yanchor: "top", x: 0 } };
  const whole = { data: box.data, layout: { ...box.layout, ...ground, ...words }, config: box._context };
  save(`${fileStem}-${id}.${format}`, await Plotly.toImage(whole, { format, width: box.clientWidth, height: box.clientHeight, scale: format === "png" ? 2 : 1 }));
}

/* Buttons in every ``.save`` element: data-plot names a picture, data-csv a table of tables. */
let fileStem = "bnnsim";
function wireSaving(stem, tables) {
  fileStem = stem.replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  for (const box of document.querySelectorAll(".save")) {
    const { plot, csv, name } = box.dataset;
    const button = (kind, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = kind;
      made.setAttribute("aria-label", `Save ${name} as ${kind}`);
      made.onclick = act;
      box.append(made);
    };
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `Save ${name}`);
    if (csv) button("CSV", () => saveText(`${fileStem}-${csv}.csv`, tables[csv](), "text/csv"));
    if (plot) for (const format of ["png", "svg"]) button(format.toUpperCase(), () => savePicture(plot, format));
  }
}

/* ---- theme ---------------------------------------------------------------------------------- */

/* The system's theme, then the user's; draw is called when it changes and when library and data are there. */
function startPage(draw, data = Promise.resolve()) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const set = (isDark) => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    $("theme").textContent = isDark ? "Light" : "Dark";
    $("theme").setAttribute("aria-label", `${isDark ? "Light" : "Dark"} colours`);
  };
  set(dark.matches);
  const change = async (isDark) => { set(isDark); await data; draw(); };
  dark.addEventListener("change", (event) => change(event.matches));
  $("theme").onclick = () => change(document.documentElement.dataset.theme !== "dark");
  document.addEventListener("DOMContentLoaded", async () => {
    await data;
    draw();
    document.body.dataset.drawn = Math.round(performance.now());
  });
}
