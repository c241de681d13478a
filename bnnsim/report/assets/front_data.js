/* The front's designs, and how they compare. */
const at = Object.fromEntries(info.figures.map((figure, i) => [figure.name, i]));
const alternativeAt = info.knobs.indexOf("alternative");
const alternativeOf = (point) => (alternativeAt < 0 ? null : point.knobs[alternativeAt]);
let byId = new Map(), front = [], feasible = [], alternatives = [];
async function readDesigns() {
  [info.points, info.baseline] = await Promise.all([rowsOf(info.points), rowsOf(info.baseline)]);
  byId = new Map(info.points.map((point) => [point.id, point]));
  front = info.points.filter((point) => point.state === "front");
  feasible = info.points.filter((point) => point.state === "feasible");
  alternatives = [...new Set(info.points.map(alternativeOf))].filter((name) => name !== null);
}
/* Designs that a landmark can be compared with. */
const comparable = (mark) => front.concat(feasible).filter((p) => mark.alternative === null || alternativeOf(p) === mark.alternative);
/* More points than these are drawn by WebGL, all at once, where the browser has it. */
const MOST_DRAWN_ONE_BY_ONE = 500;
const canDrawTogether = document.createElement("canvas").getContext("webgl") !== null;
let selected = null;
let shown = []; // the groups of points in the picture

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
const fileName = (point) => `designs/${info.space}-${point.id}.yaml`;
const knobName = (name) => name.replace("layers.", "").replace("defaults.", "").replace("sliding_window", "window").replace("out_fifo_words", "fifo");
/* Knobs with more than one value among some designs, by their place. */
const variedKnobs = (points) => info.knobs.map((_, i) => i).filter((i) => points.some((p) => p.knobs[i] !== points[0].knobs[i]));
const ordered = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : typeof a === "number" ? 1 : typeof b === "number" ? -1 : String(a).localeCompare(String(b)));
