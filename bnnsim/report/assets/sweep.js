/* The page of a sweep: each figure over the first knob, a curve for each value of the second. */
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "pentagon", "triangle-down", "star", "hexagon"];
const shade = (s) => colour(`alternative-${s % 8}`);
const cut = (name) => (name.length > 32 ? `…${name.slice(-31)}` : name);
const one = (k, s, i) => info.values[k][s][i];
const title = (figure) => (figure.unit ? `${figure.title} [${figure.unit}]` : figure.title);
const curveName = (s) => (info.second.length ? `${info.knobs[1]} ${info.second[s]}` : "");

function draw() {
  info.figures.forEach((figure, k) => {
    const lead = info.errors[k] || 0;
    const curves = info.values[k].map((values, s) => ({
      type: "scatter", mode: "lines+markers", name: escaped(curveName(s)), x: info.first, y: values, showlegend: false,
      error_y: { type: "percent", value: 100 * lead, visible: lead > 0, thickness: 1, width: 3 }, text: info.notes[s].map(escaped), line: { color: shade(s), width: 2 },
      marker: { size: 9, color: shade(s), symbol: info.notes[s].map((note) => (note ? "x" : SYMBOLS[s % 8])) },
      hovertemplate: `${info.second.length ? `${escaped(curveName(s))}<br>` : ""}${escaped(info.knobs[0])} %{x}<br><b>%{y:,.5~g} ${escaped(figure.unit)}</b><br>%{text}<extra></extra>` }));
    const look = layout();
    look.margin = { l: 56, r: 12, t: 10, b: 44 };
    look.xaxis = { ...look.xaxis, type: "category", title: named(escaped(cut(info.knobs[0]))), automargin: true };
    look.yaxis = { ...look.yaxis, rangemode: "tozero", automargin: true };
    picture(`figure-${k}`, curves, look, `${title(figure)} over ${info.knobs[0]}: ${spoken(k)}. The table below has all numbers.`);
  });
}

/* Lowest and highest, and where. */
function spoken(k) {
  const all = info.values[k].flatMap((values, s) => values.map((value, i) => [value, s, i])).filter(([value]) => value !== null);
  if (!all.length) return "no design";
  const where = ([value, s, i]) => `${number(value)} at ${info.first[i]}${info.second.length ? ` with ${curveName(s)}` : ""}`;
  const sorted = all.sort((a, b) => a[0] - b[0]);
  return `from ${where(sorted[0])} to ${where(sorted[sorted.length - 1])}`;
}

function designs() {
  return info.notes.flatMap((notes, s) => notes.map((note, i) => [...(info.second.length ? [info.second[s]] : []), info.first[i], ...info.figures.map((_, k) => one(k, s, i)), note]));
}
const knobs = () => (info.second.length ? [info.knobs[1], info.knobs[0]] : [info.knobs[0]]);

function words() {
  $("crumb").textContent = `${info.arch} × ${info.workload}`;
  $("headline").textContent = `${info.arch} × ${info.workload}: ${info.knobs.join(" and ")}`;
  const missing = info.notes.flat().filter(Boolean).length;
  $("subtitle").textContent = "Everything else as in the architecture's file; exact timing and the cost model for every design. A bar is by how much a design must be ahead to be better with nine chances in ten, by published designs that the models had not seen: closer ones tie." +
    (missing ? " A cross marks a design that exceeds a budget; a gap one that cannot be built." : "");
  $("left-out").textContent = `Outside the engine, in no figure here: ${info.outside.join("; ")}.`;
  $("left-out").hidden = !info.outside.length;
  $("legend").innerHTML = info.second.map((_, s) => `<span class="key"><i style="--c: var(--alternative-${s % 8})"></i>${escaped(curveName(s))}</span>`).join("");
  $("grid").innerHTML = info.figures.map((f, k) => `<section class="card" aria-labelledby="figure-${k}-title"><div class="bar"><h2 id="figure-${k}-title">${escaped(f.title)}${f.unit ? ` [${escaped(f.unit)}]` : ""}</h2><span class="muted small">${f.maximises ? "more" : "less"} is better</span><span class="save" data-plot="figure-${k}" data-name="${escaped(f.title)}"></span></div><div class="plot" id="figure-${k}"></div></section>`).join("");
  const head = [...knobs(), ...info.figures.map((f) => headed(f.title)), "note"].map((name, k) => `<th scope="col">${escaped(name)}${k >= knobs().length && k < knobs().length + info.figures.length ? `<small>${escaped(info.figures[k - knobs().length].unit)}</small>` : ""}</th>`).join("");
  const rows = designs().map((row) => `<tr>${row.map((value, k) => (k === 0 ? `<th scope="row">${escaped(value)}</th>` : `<td${k === row.length - 1 ? ' class="text"' : ""}>${typeof value === "number" || value === null ? number(value) : escaped(value)}</td>`)).join("")}</tr>`).join("");
  $("table").innerHTML = `<thead><tr>${head}</tr></thead><tbody>${rows}</tbody>`;
}

words();
wireSaving(`${info.arch}-${info.workload}`, { sweep: () => csvText([...knobs(), ...info.figures.map((f) => f.name), "note"], designs()) });
startPage(draw);
