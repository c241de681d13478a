/* Errors of published numbers in percent: all kinds side by side, or one kind with a row a number. */
const LOOKS = { blind: ["alternative-0", "circle"], family: ["alternative-1", "diamond"], fitted: ["random", "square"] };
const MOST = 100; // errors beyond are drawn at the edge, so that one does not flatten all others
const ROW = 22;
const percent = (share) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(Math.abs(share) < .0995 ? 2 : 1)} %`;
const edge = (share) => Math.max(-MOST, Math.min(MOST, 100 * share));
const chosenPoints = () => info.points.filter((p) => $("group").value === "" || p.group === $("group").value);
const median = (values) => { const s = [...values].sort((a, b) => a - b), m = s.length >> 1; return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2; };

function words() {
  const judged = info.points.filter((p) => ["met", "off"].includes(p.verdict)), met = judged.filter((p) => p.verdict === "met");
  $("headline").textContent = `Errors of ${info.points.length} published numbers`;
  $("crumb").textContent = `${new Set(info.points.map((p) => p.system)).size} accelerators`;
  $("subtitle").textContent = `${met.length} of ${judged.length} lie within the tolerance stated for each. ${info.left_out} more are not drawn: nothing was simulated to compare them with, or they have no error in percent.`;
  $("numbers").innerHTML = info.groups.map((group) => {
    const all = judged.filter((p) => p.group === group), unseen = all.filter((p) => p.evidence !== "fitted");
    const good = unseen.filter((p) => p.verdict === "met").length;
    const typical = unseen.length ? `median error ${(100 * median(unseen.map((p) => Math.abs(p.error)))).toFixed(1)} %` : "all were used to fit";
    return `<li><span class="label">${escaped(group)}</span><span class="big">${good} <small>of ${unseen.length} met</small></span><span class="muted">${typical}; no fit had seen them</span></li>`;
  }).join("");
  $("reading").textContent = "Full: the structure is known; open: partly guessed. Thin lines: four of five such designs lie within, which should hold zero. Errors beyond 100 % stand at the edge.";
  $("group").innerHTML = `<option value="">all</option>${info.groups.map((group) => `<option>${escaped(group)}</option>`).join("")}`;
  if (narrow()) $("group").value = info.groups[0];
}

/* One trace for each kind of evidence; place(point) says where it stands across its errors. */
function traces(points, place, isUpright) {
  return Object.entries(info.meanings).map(([evidence, name]) => {
    const own = points.filter((p) => p.evidence === evidence), [shade, shape] = LOOKS[evidence];
    const reach = (amount, p) => (p.high > p.low ? 100 * amount / p.reported : null); // what is exact has none
    const bars = { type: "data", symmetric: false, thickness: 1, width: 0, color: colour(shade), array: own.map((p) => reach(p.high - p.simulated, p)), arrayminus: own.map((p) => reach(p.simulated - p.low, p)) };
    const across = own.map(place), errors = own.map((p) => edge(p.error));
    return { type: "scatter", mode: "markers", name, ...(isUpright ? { x: across, y: errors, error_y: bars } : { x: errors, y: across, error_x: bars }),
      marker: { color: colour(shade), size: 9, symbol: own.map((p) => shape + (p.structure === "complete" ? "" : "-open")), line: { width: 1.5, color: colour(shade) } },
      text: own.map((p) => `<b>${escaped(p.system)}</b> ${escaped(p.what)}: ${percent(p.error)}<br>reported ${number(p.reported)} ${escaped(p.unit)}, simulated ${number(p.simulated)}<br>${escaped(p.structure)} structure, ${escaped(name)}, ${escaped(p.verdict)}<br>${escaped(p.why).replace(/(.{70}\S*) /g, "$1<br>")}`),
      hovertemplate: "%{text}<extra></extra>" };
  });
}

function draw() {
  const points = chosenPoints(), look = layout(), zero = { color: colour("muted"), width: 1 };
  const errors = { ...look.yaxis, range: [-1.1 * MOST, 1.1 * MOST], ticksuffix: " %", zeroline: false };
  let drawn;
  if ($("group").value === "") {
    const place = new Map();
    info.groups.forEach((group, g) => points.filter((p) => p.group === group).forEach((p, k, all) => place.set(p, g + (k + 1) / (all.length + 1))));
    $("errors").style.height = "560px";
    look.yaxis = errors;
    look.xaxis = { ...look.xaxis, range: [0, info.groups.length], showgrid: false, zeroline: false, tickvals: info.groups.map((_, g) => g + .5), ticktext: info.groups };
    look.shapes = [...info.groups.slice(1).map((_, g) => ({ type: "line", x0: g + 1, x1: g + 1, yref: "paper", y0: 0, y1: 1, line: { color: colour("line"), width: 1 } })), { type: "line", xref: "paper", x0: 0, x1: 1, y0: 0, y1: 0, line: zero }];
    look.margin = { ...look.margin, t: 12 };
    drawn = traces(points, (p) => place.get(p), true);
  } else {
    const rows = new Map(points.map((p, k) => [p, k]));
    const name = (p) => `${escaped(p.system)}${narrow() ? "<br>" : " · "}${escaped(p.what)}`;
    const tall = narrow() ? 2 * ROW : ROW;
    $("errors").style.height = `${60 + tall * points.length}px`;
    const most = Math.min(MOST, Math.max(5, ...points.map((p) => 100 * Math.max(Math.abs(p.error), Math.abs(p.high / p.reported - 1), Math.abs(p.low / p.reported - 1)))));
    look.xaxis = { ...errors, range: [-1.1 * most, 1.1 * most], tickangle: 0, nticks: narrow() ? 4 : 9, side: "top" };
    look.yaxis = { ...look.yaxis, range: [points.length - .5, -.5], showgrid: false, zeroline: false, automargin: true, tickfont: { size: narrow() ? 10 : 12 }, tickvals: points.map((_, k) => k), ticktext: points.map(name) };
    look.shapes = [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0, x1: 0, line: zero }];
    look.margin = { ...look.margin, l: 10, b: 10 };
    drawn = traces(points, (p) => rows.get(p), false);
  }
  const off = points.filter((p) => p.verdict === "off").length;
  picture("errors", drawn, look, `Errors of ${points.length} numbers${$("group").value ? ` of the kind ${$("group").value}` : ""} in percent, median ${(100 * median(points.map((p) => Math.abs(p.error)))).toFixed(1)} %, ${off} outside their tolerance. The table below has each.`);
  drawTable(points);
}

function drawTable(points) {
  const head = ["system", "number", "reported", "simulated", "error", "evidence", "verdict", "why"].map((text) => `<th scope="col"${["number", "evidence", "verdict", "why"].includes(text) ? ' class="text"' : ""}>${text}</th>`);
  const rows = points.map((p) => `<tr><th scope="row">${escaped(p.system)}</th><td class="text">${escaped(p.what)}${p.unit ? ` <small class="muted">${escaped(p.unit)}</small>` : ""}</td><td>${number(p.reported)}</td><td>${number(p.simulated)}</td><td>${percent(p.error)}</td><td class="text">${escaped(info.meanings[p.evidence])}</td><td class="text${p.verdict === "off" ? " worse" : ""}">${escaped(p.verdict)}</td><td class="text why">${escaped(p.why)}</td></tr>`);
  $("table").innerHTML = `<thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody>`;
}

words();
$("group").onchange = draw;
const FIELDS = ["system", "what", "unit", "group", "evidence", "structure", "reported", "simulated", "low", "high", "error", "verdict", "why"];
wireSaving("bnnsim-validate", { errors: () => csvText(FIELDS, chosenPoints().map((p) => FIELDS.map((field) => p[field]))) });
startPage(draw);
