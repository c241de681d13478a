/* Parallel axes, and what is kept of the designs: by a drag along an axis, or by the form below. */
let filters = new Map(); // a dimension's name: [[low, high], ...] in the axis' own numbers
let dimensions = [];

const keeps = (point) => [...filters].every(([name, ranges]) => {
  const value = dimension(name).of(point);
  return value !== null && value !== undefined && ranges.some(([low, high]) => value >= low && value <= high);
});
const dimension = (name) => dimensions.find((one) => one.name === name);

/* Objectives as they are; knobs with few values, or with words, as steps. */
function makeDimensions() {
  const points = feasible.concat(front);
  dimensions = info.axes.map((n) => ({ name: label(n), label: info.figures[at[n]].unit || n, steps: null, of: (p) => figureOf(p, n) }));
  for (const i of points.length ? variedKnobs(points) : []) {
    const values = [...new Set(points.map((p) => (p.knobs[i] === null ? "–" : p.knobs[i])))].sort(ordered);
    const steps = values.length <= 12 || values.some((v) => typeof v !== "number") ? values : null;
    const place = new Map((steps || []).map((value, k) => [value, k]));
    const name = knobName(info.knobs[i]);
    dimensions.push({ name, label: name, steps, of: (p) => (steps ? place.get(p.knobs[i] === null ? "–" : p.knobs[i]) : p.knobs[i]) });
  }
}

function drawParallel() {
  const points = feasible.concat(front);
  if (!points.length) return;
  const axes = dimensions.map((one) => {
    const drawn = { label: one.label, values: points.map(one.of), constraintrange: filters.get(one.name) };
    if (!one.steps) return drawn;
    return { ...drawn, tickvals: one.steps.map((_, k) => k), ticktext: one.steps.map(String), range: [-.2, Math.max(1, one.steps.length - 1) + .2] };
  });
  const look = layout();
  $("parallel").style.width = `${Math.max(dimensions.length * 62, $("parallel").parentElement.clientWidth - 4)}px`;
  look.margin = { l: 50, r: 50, t: 80, b: 20 };
  picture("parallel", [{ type: "parcoords", dimensions: axes, labelangle: -35, labelfont: { size: 11 }, tickfont: { size: 10 }, rangefont: { size: 10 },
    line: { color: points.map((p) => figureOf(p, info.axes[0])), colorscale: "Viridis", showscale: false }, unselected: { line: { color: colour("line"), opacity: .25 } } }],
  look, `${points.length} designs as lines over ${dimensions.length} axes; the form below keeps some of them.`, { responsive: false });
  if (typeof Plotly === "undefined" || $("parallel").dataset.wired) return;
  $("parallel").dataset.wired = "true";
  $("parallel").on("plotly_restyle", readBrushes);
}

/* What was dragged along the axes. */
function readBrushes() {
  const found = new Map();
  $("parallel").data[0].dimensions.forEach((axis, k) => {
    const range = axis.constraintrange;
    if (range) found.set(dimensions[k].name, Array.isArray(range[0]) ? range : [range]);
  });
  filters = found;
  follow();
}

function follow() {
  const kept = feasible.concat(front).filter(keeps), onFront = front.filter(keeps);
  const words = [...filters].map(([name, ranges]) => {
    const { steps } = dimension(name);
    const text = ([low, high]) => (steps ? steps.filter((_, k) => k >= low && k <= high).join(" or ") : `${number(low)} to ${number(high)}`);
    return `${name} ${ranges.map(text).join(" or ")}`;
  });
  $("filtered").textContent = filters.size ? `${kept.length} of ${feasible.length + front.length} designs ${info.totals.step > 1 ? "of this page " : ""}that keep every bound, ${onFront.length} of ${front.length} on the front: ${words.join("; ")}.` : "";
  $("filter-clear").hidden = filters.size === 0;
  drawTable();
  drawFront();
}

function wireFilters() {
  $("commons").hidden = feasible.length + front.length === 0;
  $("filter-name").innerHTML = dimensions.map((one) => `<option>${escaped(one.name)}</option>`).join("");
  const isStepped = () => {
    const { steps } = dimension($("filter-name").value);
    for (const id of ["filter-low", "filter-high"]) $(id).parentElement.hidden = steps !== null;
    $("filter-value").parentElement.hidden = steps === null;
    $("filter-value").innerHTML = (steps || []).map((value, k) => `<option value="${k}">${escaped(value)}</option>`).join("");
  };
  $("filter-name").onchange = isStepped;
  isStepped();
  $("filter").onsubmit = (event) => {
    event.preventDefault();
    const { name, steps } = dimension($("filter-name").value);
    const values = dimensions.find((one) => one.name === name);
    const all = feasible.concat(front).map(values.of);
    const end = (id, other) => ($(id).value === "" ? other : Number($(id).value));
    const step = Number($("filter-value").value);
    filters.set(name, [steps ? [step - .1, step + .1] : [end("filter-low", all.reduce((a, b) => Math.min(a, b))), end("filter-high", all.reduce((a, b) => Math.max(a, b)))]]);
    follow();
    if (parallelSeen) drawParallel();
  };
  $("filter-clear").onclick = () => { filters.clear(); follow(); if (parallelSeen) drawParallel(); $("filter-name").focus(); };
}
