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
const errorOf = (name) => info.median_errors[name] || 0;
/* Whether a is ahead of b by more than the model's error: closer is a tie. */
const ahead = (name, a, b) => better(name, a, b) && Math.min(a, b) < Math.max(a, b) * (1 - errorOf(name));
const better = (name, a, b) => (info.figures[at[name]].maximises ? a > b : a < b);
const byFigure = (name) => (a, b) =>
  (figureOf(a, name) - figureOf(b, name)) * (info.figures[at[name]].maximises ? -1 : 1);
const best = (name, points) => [...points].sort(byFigure(name))[0];
const columns = info.figures.filter((f) => !["latency_cycles", "lutram", "fifo_bits", "initiation_interval_cycles"].includes(f.name) || info.axes.includes(f.name));
const fileName = (point) => `designs/${info.space}-${point.id}.yaml`;

/* ---- what it says in words ------------------------------------------------------------ */

function words() {
  const bounds = info.constraints.concat(`what ${info.device} holds`).join(", ");
  const kept = front.length + feasible.length;
  $("crumb").textContent = `${info.space} · sampler ${info.sampler} · seed ${info.seed}`;
  $("headline").textContent = front.length
    ? `${info.workload} on ${info.device}: ${front.length} design${front.length > 1 ? "s" : ""} that nothing beats`
    : `${info.workload} on ${info.device}: no design keeps every bound`;
  $("subtitle").textContent = `${info.points.length} accelerators judged by exact timing and the cost model, ` +
    `${kept} keep every bound (${bounds}). Sought: ${info.axes.map(wish).join(", ")}.`;
  $("numbers").innerHTML = info.axes.map(tile).join("") + checkedTile();
  verdict();
  const unclear = front.filter((p) => p.no_clear_lead_over).length;
  $("sureness").textContent = info.sureness + (unclear ? ` ${unclear} of the ${front.length} front designs lead some other one in nothing by more than these errors (≈ in the table).` : "");
  $("sureness").hidden = !info.sureness;
  $("left-out").textContent = `Outside the engine, in no figure here: ${info.outside.join("; ")}.`;
  $("left-out").hidden = !info.outside.length;
  $("colour-name").textContent = info.figures[at[info.axes[0]]].title.toLowerCase();
  $("reading").innerHTML = info.baseline.length
    ? `${alternatives.length > 1 ? "A colour is an alternative, strong on the front, pale where something beats the design. " : ""}${grey()}` : "";
}

/* Random designs that cannot keep the bounds at any pace were not timed, and have no place in the picture. */
function grey() {
  const drawn = info.baseline.length, shown = info.baseline.filter((p) => figureOf(p, info.axes[0]) !== null).length;
  return `Grey points: what a search without knowledge finds. Of ${drawn} designs with every choice drawn at random, ` +
    (shown < drawn ? `${shown} could keep the bounds at some pace and are shown.` : "all are shown.");
}

const wish = (name) => `${info.figures[at[name]].maximises ? "more" : "less"} ${info.figures[at[name]].title.toLowerCase()}`;

function tile(name) {
  if (!front.length) return "";
  const point = best(name, front);
  const others = info.axes.filter((axis) => axis !== name).map((axis) => valueText(point, axis)).join(", ");
  const most = info.figures[at[name]].maximises ? "Most" : "Least";
  return `<li data-id="${point.id}"><span class="label">${most} ${escaped(info.figures[at[name]].title.toLowerCase())}</span>` +
    `<span class="big">${number(figureOf(point, name))} <small>${escaped(info.figures[at[name]].unit)}</small></span>` +
    `<span class="muted">with ${escaped(others)}${tied(name, point)}</span></li>`;
}

/* How many other front designs are no further from the best than the model's error. */
function tied(name, point) {
  const near = front.filter((p) => p !== point && !ahead(name, figureOf(point, name), figureOf(p, name))).length;
  return near && errorOf(name) ? `; ${near} more within the model's error (${(errorOf(name) * 100).toFixed(1)} %)` : "";
}

function checkedTile() {
  if (!front.length) return "";
  const exact = front.filter((point) => point.is_exact === true).length;
  const wrong = front.filter((point) => point.is_exact === false).length;
  const rest = front.length - exact - wrong;
  const note = wrong ? `${wrong} differ: an error of the tool` : rest ? `${rest} not re-simulated` : "all, with equal cycles";
  return `<li><span class="label">Re-simulated bit by bit</span><span class="big">${exact} <small>of ${front.length}</small></span>` +
    `<span class="muted">${note}</span></li>`;
}

/* The fastest design that has at least what a published one has in every figure both have. */
function clockOf(point) {
  const clock = "clock_mhz" in at ? figureOf(point, "clock_mhz") : null;
  return clock === null ? "" : ` (at ${number(clock)} MHz)`;
}

/* What a lead owes to the clock, or to the models' errors. */
function doubts(winner, mark, clock, compared) {
  const own = clock === null ? null : figureOf(winner, "clock_mhz");
  const faster = own > clock && compared[0] === "throughput_fps"
    ? ` At the published ${number(clock)} MHz it would be ${number(figureOf(winner, compared[0]) * clock / own)} FPS.` : "";
  const inside = compared.filter((n) => n in info.median_errors &&
    !ahead(n, figureOf(winner, n), figureOf(mark, n))).map((n) => info.figures[at[n]].unit);
  return faster + (inside.length ? ` In ${inside.join(" and ")} it is not ahead by more than the model's error.` : "");
}

function verdict() {
  const mark = info.landmarks.find((m) => figureOf(m, info.axes[0]) !== null);
  if (!mark) return;
  const compared = ["throughput_fps", "lut", "bram18"].filter((n) => n in at && figureOf(mark, n) !== null);
  if (compared.length < 2) return;
  const winners = comparable(mark).filter((p) =>
    compared.every((n) => !better(n, figureOf(mark, n), figureOf(p, n))) && better(compared[0], figureOf(p, compared[0]), figureOf(mark, compared[0])));
  const box = $("verdict");
  box.hidden = false;
  if (!winners.length) {
    box.textContent = `No design found beats ${mark.name} in ${compared.map((n) => info.figures[at[n]].unit).join(", ")} together.`;
    return;
  }
  const checked = winners.filter((p) => p.is_exact === true);
  const able = checked.length ? checked : winners;
  const clock = "clock_mhz" in at ? figureOf(mark, "clock_mhz") : null;
  const calm = able.filter((p) => clock === null || figureOf(p, "clock_mhz") <= clock);
  const winner = best(compared[0], calm.length ? calm : able);
  box.innerHTML = `By the tool's own models, <a href="#" data-id="${winner.id}">design ${winner.id}</a>${clockOf(winner)} beats ` +
    `${escaped(mark.name)} in everything compared: ` +
    compared.map((n) => `<b>${number(figureOf(winner, n))}</b> against ${number(figureOf(mark, n))} ${info.figures[at[n]].unit}`).join(", ") +
    (winner.is_exact === true ? ". Its bits and cycles are checked word by word" : ". It has not been re-simulated") +
    "; LUT, block RAM and watts are estimates of what would be placed." + doubts(winner, mark, clock, compared);
}

/* ---- the picture ------------------------------------------------------------------------ */

function groups() {
  const known = (points) => points.filter((p) => p.figures[at[info.axes[0]]] !== null);
  return [
    { name: "drawn at random", points: known(info.baseline), what: "random design", symbol: "circle", size: 5, colour: "random", opacity: .6 },
    { name: "breaks a bound", points: known(info.points.filter((p) => p.state === "infeasible")), what: "design", symbol: "x-thin-open", flat: "cross-open", size: 7, colour: "infeasible", opacity: .75 },
    ...kept(),
  ];
}

/* The designs that keep every bound: beaten ones and the front, each alternative in its own colour and shape. */
function kept() {
  if (alternatives.length < 2) {
    return [
      { name: "keeps every bound", points: feasible, what: "design", symbol: "circle", size: 7, colour: "feasible", opacity: .9, shown: true },
      { name: "front: nothing beats it", points: front, what: "front design", symbol: "circle", size: 11, colour: "front", opacity: 1, rim: 1, shown: true },
    ];
  }
  const symbols = ["circle", "square", "diamond", "cross"];
  const look = (i) => ({ symbol: symbols[i % 4], colour: `alternative-${i % 4}`, shown: true, legendgroup: alternatives[i] });
  const of = (points, name) => points.filter((p) => alternativeOf(p) === name);
  return [
    ...alternatives.map((name, i) => ({ ...look(i), name: escaped(name), points: of(feasible, name), what: "design", size: 7, opacity: .4, quiet: true })),
    ...alternatives.map((name, i) => ({ ...look(i), name: `${escaped(name)}: nothing beats it`, points: of(front, name), what: "front design", size: 11, opacity: 1, rim: 1 })),
  ];
}

function chosen() {
  return { x: $("x").value, y: $("y").value, z: $("z").value, log: $("log").checked };
}

function range(name, log) {
  const shown = front.concat(feasible, info.landmarks).map((p) => figureOf(p, name)).filter((v) => v !== null && v > 0);
  if (!shown.length) return undefined;
  const low = shown.reduce((a, b) => Math.min(a, b)), high = shown.reduce((a, b) => Math.max(a, b));
  if (log) { const pad = Math.max(.05, Math.log10(high / low) * .06); return [Math.log10(low) - pad, Math.log10(high) + pad]; }
  const pad = (high - low || high) * .08;
  return [Math.max(0, low - pad), high + pad];
}

function layout() {
  const grid = colour("line");
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("text"), size: 13 },
    margin: { l: narrow() ? 52 : 70, r: 14, t: 10, b: 50 }, hovermode: "closest",
    hoverlabel: { align: "left", bgcolor: colour("surface"), bordercolor: colour("line"), font: { color: colour("text"), size: 12 } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("accent") },
    xaxis: { gridcolor: grid, zerolinecolor: grid }, yaxis: { gridcolor: grid, zerolinecolor: grid },
  };
}

function drawFront() {
  const { x, y, z, log } = chosen();
  if (z) drawSpace(x, y, z, log); else drawPlane(x, y, log);
}

function drawPlane(x, y, log) {
  shown = groups();
  const traces = shown.map((g, i) => ({
    type: g.points.length > MOST_DRAWN_ONE_BY_ONE && canDrawTogether ? "scattergl" : "scatter", mode: "markers", name: g.name, showlegend: !g.quiet, legendgroup: g.legendgroup, x: g.points.map((p) => figureOf(p, x)), y: g.points.map((p) => figureOf(p, y)),
    customdata: g.points.map((p) => (g.colour === "random" ? null : p.id)), meta: i, hoverinfo: "none",
    ...(g.rim ? { error_x: bars(g, x), error_y: bars(g, y) } : {}),
    marker: { symbol: g.symbol, size: g.size, color: colour(g.colour), opacity: g.opacity,
      line: { width: g.symbol.includes("open") ? 1.5 : g.rim || 0, color: g.symbol.includes("open") ? colour(g.colour) : colour("surface") } },
  }));
  traces.splice(shown.findIndex((g) => g.rim), 0, stairs(x, y));
  traces.push(marks(x, y), ring(x, y));
  const look = layout();
  look.xaxis = { ...look.xaxis, title: { text: label(x) }, type: log ? "log" : "linear", range: range(x, log) };
  look.yaxis = { ...look.yaxis, title: { text: narrow() ? "" : label(y) }, type: log ? "log" : "linear", range: range(y, log) };
  look.annotations = [betterCorner(x, y), ...markLabels(x, y, log)];
  Plotly.react("front-plot", traces, look, config);
  outside(x, y);
}

/* The model's median error around each front design; none where a figure is exact. */
function bars(group, name) {
  const visible = errorOf(name) > 0;
  return { type: "data", array: group.points.map((p) => figureOf(p, name) * errorOf(name)), visible, thickness: 1, width: 0, color: colour(group.colour) };
}

/* The best of y for each x among the designs that keep every bound, as a line of steps. */
function stairs(x, y) {
  const line = [];
  const sorted = front.concat(feasible).sort((a, b) => byFigure(x)(a, b) || byFigure(y)(a, b));
  for (const point of sorted) {
    if (!line.length || better(y, figureOf(point, y), figureOf(line[line.length - 1], y))) line.push(point);
  }
  return { type: "scatter", mode: "lines", name: "best in these two", x: line.map((p) => figureOf(p, x)), y: line.map((p) => figureOf(p, y)),
    line: { shape: "hv", color: colour("front"), width: 1.5 }, opacity: .5, hoverinfo: "skip", showlegend: false };
}

function marks(x, y, z) {
  const shown = info.landmarks.filter((m) => [x, y, z].every((n) => !n || figureOf(m, n) !== null));
  const trace = { type: z ? "scatter3d" : "scatter", mode: z ? "markers+text" : "markers", name: "published", x: shown.map((m) => figureOf(m, x)), y: shown.map((m) => figureOf(m, y)),
    text: shown.map((m) => escaped(narrow() ? m.name.split(" (")[0] : m.name)), textposition: "bottom center", textfont: { color: colour("landmark") },
    hovertext: shown.map((m) => `<b>${escaped(m.name)}</b><br>${info.figures.filter((f) => figureOf(m, f.name) !== null).map((f) => `${escaped(f.title)}: <b>${valueText(m, f.name)}</b>`).join("<br>")}<br>${escaped(m.source).replace(/(.{60}\S*) /g, "$1<br>")}`),
    hovertemplate: "%{hovertext}<extra></extra>", showlegend: shown.length > 0,
    marker: { symbol: z ? "diamond" : "star", size: z ? 7 : 17, color: colour("landmark"), line: { width: 1, color: colour("surface") } } };
  if (z) trace.z = shown.map((m) => figureOf(m, z));
  return trace;
}

function markLabels(x, y, log) {
  const place = (value) => (log ? Math.log10(value) : value);
  return info.landmarks.filter((m) => figureOf(m, x) !== null && figureOf(m, y) !== null).map((m) => ({
    x: place(figureOf(m, x)), y: place(figureOf(m, y)), text: escaped(narrow() ? m.name.split(" (")[0] : m.name), ax: narrow() ? 0 : -70, ay: -70, arrowcolor: colour("landmark"),
    font: { color: colour("landmark"), size: 13 }, bgcolor: colour("surface"), bordercolor: colour("landmark"), borderpad: 3 }));
}

function ring(x, y, z) {
  const shown = selected ? [selected] : [];
  const trace = { type: z ? "scatter3d" : "scatter", mode: "markers", x: shown.map((p) => figureOf(p, x)), y: shown.map((p) => figureOf(p, y)), hoverinfo: "skip",
    showlegend: false, marker: { symbol: "circle-open", size: z ? 12 : 21, color: colour("selected"), line: { width: 3, color: colour("selected") } } };
  if (z) trace.z = shown.map((p) => figureOf(p, z));
  return trace;
}

function betterCorner(x, y) {
  const right = info.figures[at[x]].maximises, up = info.figures[at[y]].maximises;
  const arrow = up ? (right ? "↗" : "↖") : right ? "↘" : "↙";
  return { xref: "paper", yref: "paper", x: right ? .99 : .01, y: up ? .99 : .01, xanchor: right ? "right" : "left", yanchor: up ? "top" : "bottom",
    text: right ? `better ${arrow}` : `${arrow} better`, showarrow: false, font: { size: 15, color: colour("muted") } };
}

function outside(x, y) {
  const [left, right] = range(x) || [-Infinity, Infinity], [low, high] = range(y) || [-Infinity, Infinity];
  const count = groups().slice(0, 2).flatMap((g) => g.points).filter((p) => {
    const a = figureOf(p, x), b = figureOf(p, y);
    return a < left || a > right || b < low || b > high;
  }).length;
  $("outside").textContent = count ? `${count} designs that break a bound or were drawn at random lie outside the picture; a double click shows them.` : "";
}

function drawSpace(x, y, z, log) {
  shown = groups();
  const traces = shown.map((g, i) => ({
    type: "scatter3d", mode: "markers", name: g.name, showlegend: !g.quiet, legendgroup: g.legendgroup, x: g.points.map((p) => figureOf(p, x)), y: g.points.map((p) => figureOf(p, y)), z: g.points.map((p) => figureOf(p, z)),
    customdata: g.points.map((p) => (g.colour === "random" ? null : p.id)), meta: i, hoverinfo: "none",
    visible: g.shown ? true : "legendonly",
    marker: { symbol: g.flat || "circle", size: g.size * .6, color: colour(g.colour), opacity: g.opacity },
  }));
  traces.push(marks(x, y, z), ring(x, y, z));
  const look = layout();
  const axis = (name) => ({ title: { text: label(name) }, type: log ? "log" : "linear", gridcolor: colour("line"), color: colour("text"), backgroundcolor: "rgba(0,0,0,0)" });
  look.scene = { xaxis: axis(x), yaxis: axis(y), zaxis: axis(z), camera: { eye: { x: 1.5, y: 1.5, z: .9 } } };
  look.margin = { l: 0, r: 0, t: 10, b: 0 };
  delete look.xaxis; delete look.yaxis;
  Plotly.react("front-plot", traces, look, config);
  $("outside").textContent = "Drag to turn, scroll to come closer. The legend switches the other designs on.";
}

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
    (point.state === "front" || point.checked ? `<p class="note"><code>${escaped(fileName(point))}</code>${point.checked ? `<br>${escaped(point.checked)}` : ""}</p>` : "") +
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
  $("curve-note").textContent = "Hypervolume: how much of the space of all objectives a front dominates, by the tool's own models; 100 % is what all designs on this page dominate together, not the best there could be. " +
    `The search's own designs reach ${last(info.curve)} %` + (info.baseline_curve.length ? `, ${info.baseline.length} random designs ${last(info.baseline_curve)} %.` : ".");
  Plotly.react("curve", traces, look, config);
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

function drawAll() { words(); showDesign(); drawTable(); drawFront(); drawCurve(); if (parallelSeen) drawParallel(); }

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
