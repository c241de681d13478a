/* The front's picture, in two or three figures. */

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

/* Bars of many designs lie over each other: each is faint. */
const pale = (hex) => (/^#[0-9a-f]{6}$/i.test(hex) ? `${hex}40` : hex);

/* The interval around each front design in which four of five such designs lie; none where a figure is exact. */
function bars(group, name) {
  const [low, high] = info.error_bars[name] || [1, 1], visible = high > low;
  const reach = (share) => group.points.map((p) => figureOf(p, name) * share);
  return { type: "data", array: reach(high - 1), arrayminus: reach(1 - low), symmetric: false, visible, thickness: 1, width: 0, color: pale(colour(group.colour)) };
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
