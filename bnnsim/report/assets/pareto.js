const info = JSON.parse(document.getElementById("data").textContent);
info.points = rowsOf(info.points);
info.baseline = rowsOf(info.baseline);
const at = Object.fromEntries(info.figures.map((figure, i) => [figure.name, i]));
const byId = new Map(info.points.map((point) => [point.id, point]));
const $ = (id) => document.getElementById(id);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const narrow = () => window.innerWidth < 900;
const front = info.points.filter((point) => point.state === "front");
const feasible = info.points.filter((point) => point.state === "feasible");
const alternativeAt = info.knobs.indexOf("alternative");
const alternativeOf = (point) => (alternativeAt < 0 ? null : point.knobs[alternativeAt]);
const alternatives = [...new Set(info.points.map(alternativeOf))].filter((name) => name !== null);
/* Designs that a published one can be compared with. */
const comparable = (mark) => front.concat(feasible).filter((p) => mark.alternative === null || alternativeOf(p) === mark.alternative);
const config = { responsive: true, displaylogo: false, displayModeBar: window.innerWidth < 900 ? false : "hover", modeBarButtonsToRemove: ["select2d", "lasso2d"] };
/* More points than these are drawn by WebGL, all at once, where the browser has it. */
const MOST_DRAWN_ONE_BY_ONE = 500;
const canDrawTogether = document.createElement("canvas").getContext("webgl") !== null;
const ROWS_AT_ONCE = 100;
let selected = null;
let shown = []; // the groups of points in the picture

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

const figureOf = (point, name) => point.figures[at[name]];
const label = (name) => { const f = info.figures[at[name]]; return f.unit ? `${f.title} [${f.unit}]` : f.title; };
const shareOf = (point, name) => { const share = point.shares ? point.shares[at[name]] : null; return share === null || share === undefined ? "" : ` (${Math.round(share * 100)} %)`; };
const valueText = (point, name) => `${number(figureOf(point, name))} ${info.figures[at[name]].unit}${shareOf(point, name)}`;
const errorOf = (name) => info.needed_leads[name] || 0;
/* Whether a is ahead of b, nine chances in ten by the models' errors: closer is a tie. */
const ahead = (name, a, b) => better(name, a, b) && Math.min(a, b) < Math.max(a, b) * (1 - errorOf(name));
const better = (name, a, b) => (info.figures[at[name]].maximises ? a > b : a < b);
const byFigure = (name) => (a, b) =>
  (figureOf(a, name) - figureOf(b, name)) * (info.figures[at[name]].maximises ? -1 : 1);
const best = (name, points) => [...points].sort(byFigure(name))[0];
const columns = info.figures.filter((f) => !["latency_cycles", "lutram", "fifo_bits", "initiation_interval_cycles"].includes(f.name) || info.axes.includes(f.name));
const fileName = (point) => `designs/${info.space}-${point.id}.yaml`;

/* ---- one design --------------------------------------------------------------------------- */

function select(id) {
  selected = byId.get(id) || null;
  drawFront();
  showDesign();
  for (const row of document.querySelectorAll("#table tbody tr")) row.classList.toggle("selected", row.dataset.id === id);
}

function showDesign() {
  const box = $("design");
  if (!selected) { box.innerHTML = "<p class='muted'>Click a point or a row to see a design.</p>"; return; }
  const point = selected;
  const names = { front: "on the front", feasible: "keeps every bound", infeasible: "breaks a bound", unbuildable: "cannot be built" };
  const entry = (name, value) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`;
  const layers = new Map();
  const others = [];
  info.knobs.forEach((name, i) => {
    if (point.knobs[i] === null) return;
    const match = /^layers\.(.+)\.(pe|simd)$/.exec(name);
    if (match) layers.set(match[1], { ...layers.get(match[1]), [match[2]]: point.knobs[i] });
    else others.push(entry(name.replace("layers.", "").replace("defaults.", ""), point.knobs[i]));
  });
  const folding = [...layers].map(([layer, fold]) => entry(layer, `${fold.pe ?? "·"} PE × ${fold.simd ?? "·"} SIMD`));
  box.innerHTML = `<h3>Design ${point.id} <span class="tag ${point.state}">${names[point.state]}</span></h3>` +
    (point.why ? `<p class="note">${escaped(point.why)}</p>` : "") +
    (point.state === "front" || point.checked ? `<p class="note"><code>${escaped(fileName(point))}</code>${info.verilog_workload ? `<br>as Verilog: <code>bnnsim rtl ${escaped(fileName(point))} ${escaped(info.verilog_workload)} --out DIR</code>` : ""}${point.checked ? `<br>${escaped(point.checked)}` : ""}</p>` : "") +
    `<dl>${info.figures.map((f) => entry(f.title, valueText(point, f.name))).join("")}</dl>` +
    `<dl>${folding.join("")}</dl><dl>${others.join("")}</dl>`;
}

/* ---- table, parallel coordinates, curve --------------------------------------------------- */

let order = { name: info.axes[0], down: false };
let rowsShown = ROWS_AT_ONCE;

function drawTable() {
  const sorted = [...front].sort(byFigure(order.name));
  if (order.down) sorted.reverse();
  const bests = Object.fromEntries(info.axes.map((n) => [n, front.length ? figureOf(best(n, front), n) : null]));
  const several = alternatives.length > 1;
  const head = `<tr><th>design</th>${several ? "<th>alternative</th>" : ""}<th>bit-exact</th>${columns.map((f) => `<th data-name="${f.name}">${escaped(f.title)}<small>${escaped(f.unit)}</small></th>`).join("")}</tr>`;
  const rows = sorted.slice(0, rowsShown).map((p) => `<tr data-id="${p.id}" tabindex="0" class="${selected === p ? "selected" : ""}"><td>${p.id}${p.no_clear_lead_over ? ` <span class="muted" title="leads design ${escaped(p.no_clear_lead_over)} in nothing by more than the models' errors">≈ ${escaped(p.no_clear_lead_over)}</span>` : ""}</td>${several ? `<td>${escaped(alternativeOf(p))}</td>` : ""}` +
    `<td title="${escaped(p.checked)}">${p.is_exact === true ? "yes" : p.is_exact === false ? "NO" : "not run"}</td>` +
    columns.map((f) => `<td class="${f.name in bests && !ahead(f.name, bests[f.name], figureOf(p, f.name)) ? "best" : ""}">${number(figureOf(p, f.name))}<small class="muted">${shareOf(p, f.name)}</small></td>`).join("") + "</tr>");
  $("table").innerHTML = `<thead>${head}</thead><tbody>${rows.join("")}</tbody>`;
  $("more").hidden = rowsShown >= sorted.length;
  $("more").textContent = `Show more: ${Math.min(rowsShown, sorted.length)} of ${sorted.length} are shown`;
}

function drawParallel() {
  const points = feasible.concat(front);
  const first = info.axes[0];
  const numeric = (name, given) => {
    const values = given.map((v) => (v === null ? "–" : v)); // a knob that other alternatives have
    const kinds = [...new Set(values)];
    const steps = kinds.length <= 12 || kinds.some((v) => typeof v !== "number") ? kinds.sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : typeof a === "number" ? 1 : typeof b === "number" ? -1 : String(a).localeCompare(String(b)))) : null;
    if (!steps) return { label: name, values };
    return { label: name, values: values.map((v) => steps.indexOf(v)), tickvals: steps.map((_, i) => i), ticktext: steps.map(String), range: [-.2, Math.max(1, steps.length - 1) + .2] };
  };
  const varied = info.knobs.map((name, i) => [name, points.map((p) => p.knobs[i])]).filter(([, values]) => new Set(values).size > 1);
  const short = (name) => name.replace("layers.", "").replace("defaults.", "").replace("sliding_window", "window").replace("out_fifo_words", "fifo");
  const dimensions = info.axes.map((n) => ({ label: info.figures[at[n]].unit, values: points.map((p) => figureOf(p, n)) }))
    .concat(varied.map(([name, values]) => numeric(short(name), values)));
  const colours = points.map((p) => figureOf(p, first));
  const look = layout();
  $("parallel").style.width = `${Math.max(dimensions.length * 62, $("parallel").parentElement.clientWidth - 4)}px`;
  look.margin = { l: 50, r: 50, t: 70, b: 20 };
  Plotly.react("parallel", [{ type: "parcoords", dimensions, labelangle: -35, labelfont: { size: 11 }, tickfont: { size: 10 }, rangefont: { size: 10 },
    line: { color: colours, colorscale: "Viridis", showscale: false }, unselected: { line: { color: colour("line"), opacity: .25 } } }], look, { ...config, responsive: false });
}

function drawCurve() {
  const look = layout();
  const line = (curve, name, shade, width) => ({ type: "scatter", mode: "lines", name, x: curve.map((c) => c[0]), y: curve.map((c) => c[1] * 100),
    line: { color: colour(shade), width, shape: "hv" }, hovertemplate: "%{x} designs: %{y:.1f} %<extra></extra>" });
  const traces = [line(info.curve, `search (${info.sampler})`, "front", 3)];
  if (info.baseline_curve.length) traces.unshift(line(info.baseline_curve, "drawn at random", "random", 2));
  look.xaxis = { ...look.xaxis, title: { text: "designs judged" } };
  look.yaxis = { ...look.yaxis, title: { text: narrow() ? "" : "hypervolume [%]" }, range: [0, 102] };
  const last = (curve) => (curve.length ? number(curve[curve.length - 1][1] * 100) : "0");
  $("curve-note").hidden = !info.scale;
  $("curve-note").textContent = `Hypervolume: how much of the space of all objectives a front dominates, by the tool's own models; 100 % is ${info.scale}. ` +
    `The search's own designs reach ${last(info.curve)} %` + (info.baseline_curve.length ? `, ${info.baseline.length} random designs ${last(info.baseline_curve)} %.` : ".");
  Plotly.react("curve", traces, look, config);
}

/* Bars, the most important knob on top, for each objective one. */
const KNOBS_SHOWN = 12;
function drawImportance() {
  const rows = info.importance.slice(0, KNOBS_SHOWN).reverse();
  $("moved").hidden = rows.length === 0;
  if (!rows.length) return;
  const more = info.importance.length > rows.length ? `The ${rows.length} that move most of ${info.importance.length}. ` : "";
  $("importance-note").textContent = `${more}Of the differences between the designs judged, the share that goes with one knob alone (ε², of logarithms). ` +
    "Knobs that the search moved together share what they explain: shares need not add up to 100 %, and what moves together need not cause.";
  const names = rows.map((row) => row.knob.replace("layers.", "").replace("defaults.", ""));
  const traces = info.axes.map((axis, i) => ({ type: "bar", orientation: "h", name: info.figures[at[axis]].title, y: names, x: rows.map((row) => row.shares[i] * 100),
    marker: { color: colour(`alternative-${i % 4}`) }, hovertemplate: "%{y}: %{x:.1f} % of " + escaped(label(axis)) + "<extra></extra>" })).reverse();
  const look = layout();
  $("importance").style.height = `${90 + rows.length * (12 + 9 * traces.length)}px`;
  look.barmode = "group"; look.bargap = .3; look.height = undefined;
  look.legend = { ...look.legend, traceorder: "reversed" };
  look.margin = { ...look.margin, l: 10 };
  look.xaxis = { ...look.xaxis, title: { text: "share of the variance [%]" }, range: [0, 102] };
  look.yaxis = { ...look.yaxis, automargin: true, type: "category", title: { text: "" } };
  Plotly.react("importance", traces, look, config);
}

/* ---- wiring ----------------------------------------------------------------------------- */

function options() {
  const entries = info.figures.map((f) => `<option value="${f.name}">${escaped(label(f.name))}</option>`).join("");
  $("x").innerHTML = entries; $("y").innerHTML = entries;
  $("z").innerHTML = `<option value="">none</option>${entries}`;
  const others = info.axes.filter((n) => n !== info.axes[0]);
  const marked = others.find((n) => info.landmarks.some((m) => figureOf(m, n) !== null));
  $("y").value = info.axes[0];
  $("x").value = marked || others[0] || info.figures.map((f) => f.name).find((n) => n !== info.axes[0]) || info.axes[0];
}

/* What is far down the page and heavy is drawn when it comes into sight, or is printed. */
let parallelSeen = false;
function seeParallel() { if (!parallelSeen) { parallelSeen = true; drawParallel(); } }

function drawAll() { words(); showDesign(); drawTable(); drawFront(); drawImportance(); drawCurve(); if (parallelSeen) drawParallel(); }

function start() {
  if (window.matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
  const name = () => { $("theme").textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark"; };
  name();
  $("theme").onclick = () => {
    document.documentElement.dataset.theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    name(); drawAll();
  };
  options();
  selected = front.length ? best(info.axes[0], front) : null;
  words(); showDesign(); drawTable();
  document.addEventListener("DOMContentLoaded", drawPictures); // Plotly stands below
}

function drawPictures() {
  drawFront();
  drawImportance();
  drawCurve();
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) seeParallel(); }).observe($("parallel"));
  window.addEventListener("beforeprint", seeParallel);
  wireHover();
  wire();
  document.body.dataset.drawn = Math.round(performance.now());
}

function wire() {
  for (const id of ["x", "y", "z", "log"]) $(id).onchange = drawFront;
  $("front-plot").on("plotly_click", (event) => { const id = event.points[0].customdata; if (id) select(id); });
  $("more").onclick = () => { rowsShown += 2 * ROWS_AT_ONCE; drawTable(); };
  $("table").onclick = (event) => {
    const head = event.target.closest("th"), row = event.target.closest("tr[data-id]");
    if (head && head.dataset.name) { order = { name: head.dataset.name, down: order.name === head.dataset.name && !order.down }; drawTable(); }
    else if (row) select(row.dataset.id);
  };
  $("table").onkeydown = (event) => { const row = event.target.closest("tr[data-id]"); if (row && event.key === "Enter") select(row.dataset.id); };
  document.querySelector("main").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-id], li[data-id]");
    if (link) { event.preventDefault(); select(link.dataset.id); }
  });
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (width !== window.innerWidth) { width = window.innerWidth; if (parallelSeen) drawParallel(); } });
}
start();
