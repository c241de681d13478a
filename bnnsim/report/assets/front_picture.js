/* The front's picture, in two or three figures. */

function groups() {
  const known = (points) => points.filter((p) => p.figures[at[info.axes[0]]] !== null);
  return [
    { name: "drawn at random", points: known(info.baseline), what: "random design", symbol: "circle", size: 5, colour: "random", opacity: .6 },
    { name: "breaks a bound", points: known(info.points.filter((p) => p.state === "infeasible")), what: "design", symbol: "x-thin-open", flat: "cross-open", size: 7, colour: "infeasible", opacity: .75 },
    ...kept(),
  ];
}

/* Knobs with few values among the designs that keep every bound: a colour each. */
const MOST_COLOURS = 8;
const SYMBOLS = ["circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "pentagon", "star-diamond"];
function colourKnobs() {
  const points = front.concat(feasible);
  return (points.length ? variedKnobs(points) : []).filter((i) => new Set(points.map((p) => p.knobs[i])).size <= MOST_COLOURS);
}

/* The designs that keep every bound: beaten ones and the front, each value in its own colour and shape. */
function kept() {
  const some = (points) => points.filter(keeps);
  const beaten = some(feasible), best = some(front), knob = $("colour").value;
  const others = filters.size ? [{ name: "not kept", points: feasible.concat(front).filter((p) => !keeps(p)), what: "design", symbol: "circle", size: 5, colour: "line", opacity: .8, shown: true }] : [];
  if (knob === "") {
    return [
      ...others,
      { name: "keeps every bound", points: beaten, what: "design", symbol: "circle", size: 7, colour: "feasible", opacity: .9, shown: true },
      { name: "front: nothing beats it", points: best, what: "front design", symbol: "circle", size: 11, colour: "front", opacity: 1, rim: 1, shown: true },
    ];
  }
  const values = [...new Set(front.concat(feasible).map((p) => p.knobs[knob]))].sort(ordered);
  const names = values.map((value) => escaped(value === null ? "none" : typeof value === "string" ? value : `${knobName(info.knobs[knob])} ${value}`));
  const look = (i) => ({ symbol: SYMBOLS[i % MOST_COLOURS], colour: `alternative-${i % MOST_COLOURS}`, shown: true, legendgroup: names[i] });
  const of = (points, value) => points.filter((p) => p.knobs[knob] === value);
  return [
    ...others,
    ...values.map((value, i) => ({ ...look(i), name: names[i], points: of(beaten, value), what: "design", size: 7, opacity: .4, quiet: of(best, value).length > 0 })),
    ...values.map((value, i) => ({ ...look(i), name: names[i], points: of(best, value), what: "front design", size: 11, opacity: 1, rim: 1, quiet: of(best, value).length === 0 })),
  ];
}

function chosen() {
  return { x: $("x").value, y: $("y").value, z: $("z").value, logX: $("log-x").checked, logY: $("log-y").checked };
}

/* A factor of eight and more between designs: on a linear axis the small ones lie in a heap. */
function helpsLog(name) {
  const values = front.concat(feasible).map((p) => figureOf(p, name)).filter((v) => v !== null);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  return low > 0 && values.reduce((a, b) => Math.max(a, b), 0) >= 8 * low;
}

function range(name, log) {
  const shown = front.concat(feasible, info.landmarks).map((p) => figureOf(p, name)).filter((v) => v !== null && (v > 0 || !log));
  if (!shown.length) return undefined;
  const low = shown.reduce((a, b) => Math.min(a, b)), high = shown.reduce((a, b) => Math.max(a, b));
  if (log) { const pad = Math.max(.05, Math.log10(high / low) * .06); return [Math.log10(low) - pad, Math.log10(high) + pad]; }
  const pad = (high - low || Math.abs(high) || 1) * .08;
  return [low > 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

/* An axis with its name, and which way is better. */
function axisOf(base, name, log) {
  const ticks = log && range(name, true) ? logTicks(range(name, true)) : {};
  return { ...base, type: log ? "log" : "linear", range: range(name, log), ...ticks };
}
const wanted = (name, more, less) => `${label(name)} · ${info.figures[at[name]].maximises ? `more is better ${more}` : `less is better ${less}`}`;

function drawFront() {
  const { x, y, z, logX, logY } = chosen();
  for (const [axis, other] of [["log-x", x], ["log-y", y]]) $(axis).title = `logarithmic ${label(other)}`;
  if (z) drawSpace(x, y, z, logX, logY); else drawPlane(x, y, logX, logY);
}

function drawPlane(x, y, logX, logY) {
  shown = groups();
  const traces = shown.map((g, i) => ({
    type: g.points.length > MOST_DRAWN_ONE_BY_ONE && canDrawTogether ? "scattergl" : "scatter", mode: "markers", name: g.name, showlegend: !g.quiet && g.points.length > 0, legendgroup: g.legendgroup, x: g.points.map((p) => figureOf(p, x)), y: g.points.map((p) => figureOf(p, y)),
    customdata: g.points.map((p) => (g.colour === "random" ? null : p.id)), meta: i, hoverinfo: "none",
    ...(g.rim ? { error_x: bars(g.points, x, pale(colour(g.colour)), 1, $("bars").checked), error_y: bars(g.points, y, pale(colour(g.colour)), 1, $("bars").checked) } : {}),
    marker: { symbol: g.symbol, size: g.size, color: colour(g.colour), opacity: g.opacity,
      line: { width: g.symbol.includes("open") ? 1.5 : g.rim || 0, color: g.symbol.includes("open") ? colour(g.colour) : colour("surface") } },
  }));
  const rim = shown.findIndex((g) => g.rim);
  traces.splice(rim < 0 ? traces.length : rim, 0, stairs(x, y));
  traces.push(marks(x, y), ring(x, y));
  const look = layout();
  look.xaxis = { ...axisOf(look.xaxis, x, logX), title: named(escaped(wanted(x, "→", "←"))) };
  look.yaxis = axisOf(look.yaxis, y, logY);
  look.annotations = [heading(escaped(wanted(y, "↑", "↓"))), ...markLabels(x, y, logX, logY)];
  picture("front-plot", traces, look, spokenFront(x, y));
  outside(x, y, logX, logY);
}

/* What the picture shows, for those who do not see it: the table below has the numbers. */
function spokenFront(x, y) {
  const ends = front.length ? ` The best ${label(y)} is ${valueText(best(y, front), y)}, the best ${label(x)} ${valueText(best(x, front), x)}.` : "";
  return `${label(y)} over ${label(x)}: ${front.length} designs on the front, ${feasible.length} more that keep every bound.${ends} The table below has the front's numbers.`;
}

/* Bars of many designs lie over each other: each is faint, and of many only the chosen design's are drawn. */
const MOST_WITH_BARS = 12;
const pale = (hex) => (/^#[0-9a-f]{6}$/i.test(hex) ? `${hex}40` : hex);

/* The interval around each design in which four of five such designs lie; none where a figure is exact. */
function bars(points, name, shade, thickness, isShown) {
  const [low, high] = info.error_bars[name] || [1, 1], visible = isShown && high > low;
  const reach = (share) => points.map((p) => figureOf(p, name) * share);
  return { type: "data", array: reach(high - 1), arrayminus: reach(1 - low), symmetric: false, visible, thickness, width: thickness > 1 ? 4 : 0, color: shade };
}

/* The best of y for each x among the designs that keep every bound, as a line of steps. */
function stairs(x, y) {
  const line = [];
  const sorted = front.concat(feasible).filter(keeps).sort((a, b) => byFigure(x)(a, b) || byFigure(y)(a, b));
  for (const point of sorted) {
    if (!line.length || better(y, figureOf(point, y), figureOf(line[line.length - 1], y))) line.push(point);
  }
  return { type: "scatter", mode: "lines", name: "best in these two", x: line.map((p) => figureOf(p, x)), y: line.map((p) => figureOf(p, y)),
    line: { shape: "hv", color: colour("front"), width: 1.5 }, opacity: .5, hoverinfo: "skip", showlegend: false };
}

function marks(x, y, z) {
  const shown = info.landmarks.filter((m) => [x, y, z].every((n) => !n || figureOf(m, n) !== null));
  const trace = { type: z ? "scatter3d" : "scatter", mode: z ? "markers+text" : "markers", name: "landmark", x: shown.map((m) => figureOf(m, x)), y: shown.map((m) => figureOf(m, y)),
    text: shown.map((m) => escaped(narrow() ? m.name.split(" (")[0] : m.name)), textposition: "bottom center", textfont: { color: colour("landmark") },
    hovertext: shown.map((m) => `<b>${escaped(m.name)}</b><br>${info.figures.filter((f) => figureOf(m, f.name) !== null).map((f) => `${escaped(f.title)}: <b>${valueText(m, f.name)}</b>`).join("<br>")}<br>${escaped(m.source).replace(/(.{60}\S*) /g, "$1<br>")}`),
    hovertemplate: "%{hovertext}<extra></extra>", showlegend: shown.length > 0,
    marker: { symbol: z ? "diamond" : "star", size: z ? 7 : 17, color: colour("landmark"), line: { width: 1, color: colour("surface") } } };
  if (z) trace.z = shown.map((m) => figureOf(m, z));
  return trace;
}

/* Published designs' names, each inside the picture, over no other name or star, and over the fewest designs. */
function markLabels(x, y, logX, logY) {
  if (!range(x, logX) || !range(y, logY)) return [];
  const box = $("front-plot"), margin = layout().margin;
  const wide = box.clientWidth - margin.l - margin.r, tall = box.clientHeight - margin.t - margin.b - 40;
  const place = (name, log, value) => {
    const [low, high] = range(name, log);
    return ((log ? Math.log10(value) : value) - low) / (high - low);
  };
  const shown = info.landmarks.filter((m) => figureOf(m, x) !== null && figureOf(m, y) !== null);
  const spot = (p) => [place(x, logX, figureOf(p, x)) * wide, (1 - place(y, logY, figureOf(p, y))) * tall];
  const dots = front.map(spot);
  const stars = shown.map(spot);
  const taken = stars.map(([left, top]) => [left - 12, top - 12, left + 12, top + 12]);
  const ways = [[0, -46], [0, 46], [-80, -46], [80, -46], [-80, 46], [80, 46], [0, -86], [0, 86], [-110, 0], [110, 0], [-80, -110], [80, -110]];
  return shown.flatMap((m, k) => {
    const text = narrow() ? m.name.split(" (")[0] : m.name, half = text.length * 3.6 + 8;
    const cover = ([ax, ay]) => [stars[k][0] + ax - half, stars[k][1] + ay - 13, stars[k][0] + ax + half, stars[k][1] + ay + 13];
    const isFree = (way) => {
      const [l, t, r, b] = cover(way);
      return l >= 0 && r <= wide && t >= 0 && b <= tall && !taken.some(([l2, t2, r2, b2]) => l < r2 && l2 < r && t < b2 && t2 < b);
    };
    const covered = (way) => {
      const [l, t, r, b] = cover(way);
      return dots.filter(([px, py]) => px > l - 5 && px < r + 5 && py > t - 5 && py < b + 5).length;
    };
    const way = ways.filter(isFree).sort((a, b) => covered(a) - covered(b))[0];
    if (!way) return []; // pointing at the star tells its name
    taken.push(cover(way));
    const [px, py] = [figureOf(m, x), figureOf(m, y)];
    return [{ x: logX ? Math.log10(px) : px, y: logY ? Math.log10(py) : py, text: escaped(text), ax: way[0], ay: way[1], arrowcolor: colour("landmark"),
      font: { color: colour("landmark"), size: 13 }, bgcolor: colour("surface"), bordercolor: colour("landmark"), borderpad: 3 }];
  });
}

function ring(x, y, z) {
  const shown = selected ? [selected] : [];
  const trace = { type: z ? "scatter3d" : "scatter", mode: "markers", x: shown.map((p) => figureOf(p, x)), y: shown.map((p) => figureOf(p, y)), hoverinfo: "skip",
    showlegend: false, marker: { symbol: "circle-open", size: z ? 12 : 21, color: colour("selected"), line: { width: 3, color: colour("selected") } } };
  if (z) trace.z = shown.map((p) => figureOf(p, z));
  else Object.assign(trace, { error_x: bars(shown, x, colour("selected"), 2, true), error_y: bars(shown, y, colour("selected"), 2, true) });
  return trace;
}

function outside(x, y, logX, logY) {
  const none = front.concat(feasible).filter((p) => (logX && figureOf(p, x) <= 0) || (logY && figureOf(p, y) <= 0)).length;
  const [left, right] = range(x) || [-Infinity, Infinity], [low, high] = range(y) || [-Infinity, Infinity];
  const count = groups().slice(0, 2).flatMap((g) => g.points).filter((p) => {
    const a = figureOf(p, x), b = figureOf(p, y);
    return a < left || a > right || b < low || b > high;
  }).length;
  const zero = none ? `${none} design${none > 1 ? "s" : ""} at 0 ${none > 1 ? "have" : "has"} no place on a logarithmic axis. ` : "";
  $("outside").textContent = zero + (count ? `${count} design${count > 1 ? "s" : ""} that break${count > 1 ? "" : "s"} a bound or ${count > 1 ? "were" : "was"} drawn at random lie${count > 1 ? "" : "s"} outside the picture; a double click shows them.` : "");
}

function drawSpace(x, y, z, logX, logY) {
  shown = groups();
  const traces = shown.map((g, i) => ({
    type: "scatter3d", mode: "markers", name: g.name, showlegend: !g.quiet, legendgroup: g.legendgroup, x: g.points.map((p) => figureOf(p, x)), y: g.points.map((p) => figureOf(p, y)), z: g.points.map((p) => figureOf(p, z)),
    customdata: g.points.map((p) => (g.colour === "random" ? null : p.id)), meta: i, hoverinfo: "none",
    visible: g.shown ? true : "legendonly",
    marker: { symbol: g.flat || "circle", size: g.size * .6, color: colour(g.colour), opacity: g.opacity },
  }));
  traces.push(marks(x, y, z), ring(x, y, z));
  const look = layout();
  const axis = (name, log) => ({ title: { text: escaped(label(name)) }, type: log ? "log" : "linear", gridcolor: colour("line"), color: colour("text"), backgroundcolor: "rgba(0,0,0,0)" });
  look.scene = { xaxis: axis(x, logX), yaxis: axis(y, logY), zaxis: axis(z, helpsLog(z)), camera: { eye: { x: 1.5, y: 1.5, z: .9 } } };
  look.margin = { l: 0, r: 0, t: 10, b: 0 };
  delete look.xaxis; delete look.yaxis;
  picture("front-plot", traces, look, `${spokenFront(x, y)} The third axis is ${label(z)}.`);
  $("outside").textContent = "Drag to turn, scroll to come closer. The names above the picture switch the other designs on.";
}
