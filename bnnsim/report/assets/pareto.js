/* The front's page: the design that is chosen, and how the parts of the page follow. */
function select(id) {
  selected = byId.get(id) || null;
  drawFront();
  showDesign();
  for (const row of document.querySelectorAll("#table tbody tr")) {
    row.classList.toggle("selected", row.dataset.id === id);
    row.setAttribute("aria-selected", row.dataset.id === id ? "true" : "false");
  }
}

/* Both ends of the interval in which four of five such designs lie. */
function within(point, name) {
  const bar = info.error_bars[name], value = figureOf(point, name);
  if (!bar || value === null || bar[1] <= bar[0]) return "";
  return `<br><small class="muted">${number(value * bar[0])} to ${number(value * bar[1])}</small>`;
}

function showDesign() {
  const box = $("design");
  if (!selected) { box.innerHTML = "<p class='muted'>Choose a point or a row to see a design.</p>"; return; }
  const point = selected;
  const names = { front: "on the front", feasible: "keeps every bound", infeasible: "breaks a bound", unbuildable: "cannot be built" };
  const entry = (name, value, more = "") => `<dt>${escaped(name)}</dt><dd>${escaped(value)}${more}</dd>`;
  const layers = new Map();
  const others = [];
  info.knobs.forEach((name, i) => {
    if (point.knobs[i] === null) return;
    const match = /^layers\.(.+)\.(pe|simd)$/.exec(name);
    if (match) layers.set(match[1], { ...layers.get(match[1]), [match[2]]: point.knobs[i] });
    else others.push(entry(knobName(name), point.knobs[i]));
  });
  const folding = [...layers].map(([layer, fold]) => entry(layer, `${fold.pe ?? "·"} PE × ${fold.simd ?? "·"} SIMD`));
  const lists = [folding, others].filter((list) => list.length).map((list) => `<dl>${list.join("")}</dl>`);
  box.innerHTML = `<h3>Design ${point.id} <span class="tag ${point.state}">${names[point.state]}</span></h3>` +
    (point.why ? `<p class="note">${escaped(point.why)}</p>` : "") + (point.state === "front" ? files(point) : "") +
    (point.checked ? `<p class="note">re-simulated: ${escaped(point.checked)}</p>` : "") +
    `<dl>${info.figures.map((f) => entry(f.title, valueText(point, f.name), within(point, f.name))).join("")}</dl>${lists.join("")}`;
}

/* What leads on from a design of the front: its file, its report, its Verilog. */
function files(point) {
  const file = fileName(point), commands = info.commands[alternativeOf(point) ?? ""] ?? {};
  const command = (what, text) => `<li>${what}: <code>${escaped(text)}</code> <button type="button" class="copy" data-text="${escaped(text)}" aria-label="Copy the command: ${what}">Copy</button></li>`;
  const told = Object.entries(commands).map(([what, text]) => command(what, text.replaceAll("DESIGN", `${info.space}-${point.id}`)));
  return `<ul class="files"><li><a href="${escaped(encodeURI(file))}">${escaped(file)}</a></li>` +
    `${told.join("")}</ul>`;
}

async function copy(button) {
  const told = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "Copy"; }, 2500); };
  const area = document.createElement("textarea");
  area.value = button.dataset.text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  button.focus({ preventScroll: true });
  told(done ? "Copied" : "Not allowed here");
}

/* ---- curve and importance ------------------------------------------------------------------- */

function drawCurve() {
  const look = layout();
  const line = (curve, name, shade, width) => ({ type: "scatter", mode: "lines", name, x: curve.map((c) => c[0]), y: curve.map((c) => c[1] * 100),
    line: { color: colour(shade), width, shape: "hv" }, hovertemplate: "%{x} designs: %{y:.1f} %<extra></extra>" });
  const traces = [line(info.curve, `search (${info.sampler})`, "front", 3)];
  if (info.baseline_curve.length) traces.unshift(line(info.baseline_curve, "drawn at random", "random", 2));
  const most = Math.max(1, ...info.curve.concat(info.baseline_curve).map((c) => c[1]));
  look.xaxis = { ...look.xaxis, title: named("designs judged") };
  look.yaxis = { ...look.yaxis, range: [0, 102 * most] };
  look.annotations = [heading("Hypervolume [%]")];
  look.shapes = [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 100, y1: 100, line: { color: colour("muted"), dash: "dot", width: 1 } }];
  const last = (curve) => (curve.length ? number(curve[curve.length - 1][1] * 100) : "0");
  $("curve-note").hidden = !info.scale;
  const reached = `The search's own designs reach ${last(info.curve)} %` + (info.baseline_curve.length ? `, ${number(info.totals.drawn)} random designs ${last(info.baseline_curve)} %.` : ".");
  $("curve-note").textContent = `Hypervolume: how much of the space of all objectives a front dominates, by the tool's own models; 100 % is ${info.scale}. ${reached}`;
  picture("curve", traces, look, reached);
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
  const names = rows.map((row) => escaped(knobName(row.knob)));
  const traces = info.axes.map((axis, i) => ({ type: "bar", orientation: "h", name: info.figures[at[axis]].title, y: names, x: rows.map((row) => row.shares[i] * 100),
    marker: { color: colour(`alternative-${i % 4}`) }, hovertemplate: "%{y}: %{x:.1f} % of " + escaped(label(axis)) + "<extra></extra>" })).reverse();
  const look = layout();
  $("importance").style.height = `${90 + rows.length * (12 + 9 * traces.length)}px`;
  look.barmode = "group"; look.bargap = .3; look.height = undefined;
  look.margin = { ...look.margin, l: 10, t: 8 };
  look.xaxis = { ...look.xaxis, title: named("share of the variance [%]"), range: [0, 102] };
  look.yaxis = { ...look.yaxis, automargin: true, type: "category", ticksuffix: " " };
  const top = info.importance[0];
  picture("importance", traces, look, `Most moves with ${knobName(top.knob)}: ${top.shares.map((share, i) => `${number(share * 100)} % of ${info.figures[at[info.axes[i]]].title}`).join(", ")}.`);
}

/* ---- wiring ----------------------------------------------------------------------------- */

function options() {
  const entries = info.figures.map((f) => `<option value="${f.name}">${escaped(label(f.name))}</option>`).join("");
  $("x").innerHTML = entries; $("y").innerHTML = entries;
  $("z").innerHTML = `<option value="">none</option>${entries}`;
  $("colour").innerHTML = `<option value="">front and others</option>` + colourKnobs().map((i) => `<option value="${i}">${escaped(knobName(info.knobs[i]))}</option>`).join("");
  $("colour").value = alternatives.length > 1 ? String(alternativeAt) : "";
  $("colour").parentElement.hidden = $("colour").options.length < 2;
  const others = info.axes.filter((n) => n !== info.axes[0]);
  const marked = others.find((n) => info.landmarks.some((m) => figureOf(m, n) !== null));
  $("y").value = info.axes[0];
  $("x").value = marked || others[0] || info.figures.map((f) => f.name).find((n) => n !== info.axes[0]) || info.axes[0];
  for (const axis of ["x", "y"]) $(`log-${axis}`).checked = helpsLog($(axis).value);
  $("bars").checked = front.length <= MOST_WITH_BARS;
  $("bars").parentElement.hidden = !Object.keys(info.error_bars).length;
}

/* What is far down the page and heavy is drawn when it comes into sight, or is printed. */
let parallelSeen = false;
function seeParallel() { if (!parallelSeen) { parallelSeen = true; drawParallel(); } }

function drawAll() {
  words(); showDesign(); drawTable(); drawFront(); drawImportance(); drawCurve();
  if (parallelSeen) drawParallel();
  if (!document.body.dataset.drawn) wirePictures();
}

function saved(points) {
  const header = ["design", "state", "why", ...info.figures.map((f) => f.name), ...info.knobs];
  return csvText(header, points.map((p) => [p.id, p.state, p.why, ...p.figures, ...p.knobs]));
}

function wire() {
  for (const id of ["z", "log-x", "log-y", "colour", "bars"]) $(id).onchange = () => { words(); drawFront(); };
  for (const axis of ["x", "y"]) $(axis).onchange = () => { $(`log-${axis}`).checked = helpsLog($(axis).value); drawFront(); };
  wireTable();
  wireFilters();
  $("design").onclick = (event) => { const button = event.target.closest("button.copy"); if (button) copy(button); };
  document.querySelector("main").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-id], button[data-id]");
    if (link) { event.preventDefault(); select(link.dataset.id); $("front-title").scrollIntoView(); }
  });
  const curves = () => csvText(["search", "designs", "hypervolume_percent"], [["search", info.curve], ["random", info.baseline_curve]].flatMap(([name, curve]) => curve.map(([n, share]) => [name, n, share * 100])));
  wireSaving(info.space, {
    designs: () => saved(info.points.filter(keeps)), front: () => saved(front.filter(keeps)), curve: curves,
    importance: () => csvText(["knob", ...info.axes], info.importance.map((row) => [row.knob, ...row.shares])),
  });
}

function wirePictures() {
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) seeParallel(); }).observe($("parallel"));
  window.addEventListener("beforeprint", seeParallel);
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (width !== window.innerWidth) { width = window.innerWidth; drawFront(); if (parallelSeen) drawParallel(); } });
  if (typeof Plotly === "undefined") return;
  wireHover();
  $("front-plot").on("plotly_click", (event) => { const id = event.points[0].customdata; if (id) select(id); });
}

async function read() {
  await readDesigns();
  makeDimensions(); options();
  selected = front.length ? best(info.axes[0], front) : null;
  words(); showDesign(); drawTable(); wire();
}
startPage(drawAll, read()); // the library stands below
