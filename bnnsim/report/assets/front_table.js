/* The front as a table: figures, then knobs as columns; a row can be chosen, a heading sorts. */
const ROWS_AT_ONCE = 100;
const KNOB_COLUMNS = 6; // at first, behind the objectives; a button shows all
let order = { figure: info.axes[0], knob: null, down: false };
let rowsShown = ROWS_AT_ONCE;
let allKnobs = false;

const hiddenFigures = ["latency_cycles", "lutram", "fifo_bits", "initiation_interval_cycles"];
const tableFigures = () => info.figures.filter((f) => !hiddenFigures.includes(f.name) || info.axes.includes(f.name));

/* Varied knobs of the front, what no layer has and what moved most first. */
function knobColumns() {
  const moved = new Map(info.importance.map((row, i) => [row.knob, i]));
  const rank = (i) => (["alternative", "device"].includes(info.knobs[i]) ? -1000 : info.knobs[i].startsWith("layers.") ? 1000 : 0) + (moved.get(info.knobs[i]) ?? 500);
  const found = variedKnobs(front).filter((i) => !(info.knobs[i] in at)).sort((a, b) => rank(a) - rank(b));
  return [found, allKnobs ? found : found.slice(0, KNOB_COLUMNS)];
}

const byKnob = (i) => (a, b) => ordered(a.knobs[i], b.knobs[i]);

function head(text, unit, data, isOrder) {
  const sort = isOrder ? (order.down ? "descending" : "ascending") : "none";
  return `<th scope="col" aria-sort="${sort}"><button type="button" ${data}>${text}${isOrder ? (order.down ? "\u00a0▾" : "\u00a0▴") : ""}</button>${unit ? `<small>${escaped(unit)}</small>` : ""}</th>`;
}

function drawTable() {
  const kept = front.filter(keeps);
  const sorted = [...kept].sort(order.knob === null ? byFigure(order.figure) : byKnob(order.knob));
  if (order.down) sorted.reverse();
  const bests = Object.fromEntries(info.axes.map((n) => [n, front.length ? figureOf(best(n, front), n) : null]));
  const figures = tableFigures();
  const [varied, knobs] = front.length ? knobColumns() : [[], []];
  const broken = (name) => escaped(knobName(name)).replaceAll(".", ".<wbr>").replaceAll("_", "_<wbr>");
  const aims = figures.filter((f) => info.axes.includes(f.name)), others = figures.filter((f) => !info.axes.includes(f.name));
  const figureHeads = (some) => some.map((f) => head(escaped(headed(f.title)), f.unit, `data-figure="${f.name}"`, order.knob === null && order.figure === f.name)).join("");
  const knobHeads = knobs.map((i) => head(broken(info.knobs[i]), "", `data-knob="${i}" class="knob"`, order.knob === i)).join("");
  const heads = `<tr><th scope="col">design</th>${figureHeads(aims)}${knobHeads}${figureHeads(others)}<th scope="col">bit-exact</th></tr>`;
  const cell = (p, f) => `<td class="${f.name in bests && !ahead(f.name, bests[f.name], figureOf(p, f.name)) ? "best" : ""}">${number(figureOf(p, f.name))}<small class="muted">${shareOf(p, f.name)}</small></td>`;
  const rows = sorted.slice(0, rowsShown).map((p) => `<tr data-id="${p.id}" tabindex="0" class="${selected === p ? "selected" : ""}" aria-selected="${selected === p}"><th scope="row">${p.id}${p.no_clear_lead_over ? ` <span class="muted" title="leads design ${escaped(p.no_clear_lead_over)} in nothing by more than the models' errors">≈ ${escaped(p.no_clear_lead_over)}</span>` : ""}</th>` +
    aims.map((f) => cell(p, f)).join("") + knobs.map((i) => `<td class="knob">${p.knobs[i] === null ? "–" : escaped(p.knobs[i])}</td>`).join("") + others.map((f) => cell(p, f)).join("") +
    `<td title="${escaped(p.checked)}">${p.is_exact === true ? "yes" : p.is_exact === false ? "NO" : "not run"}</td></tr>`);
  $("table").innerHTML = `<thead>${heads}</thead><tbody>${rows.join("")}</tbody>`;
  $("more").hidden = rowsShown >= sorted.length;
  $("more").textContent = `Show more: ${Math.min(rowsShown, sorted.length)} of ${sorted.length} are shown`;
  $("all-knobs").hidden = varied.length <= KNOB_COLUMNS;
  $("all-knobs").textContent = allKnobs ? `Only ${KNOB_COLUMNS} knobs` : `All ${varied.length} knobs that differ`;
  $("all-knobs").setAttribute("aria-pressed", allKnobs ? "true" : "false");
  sharedKnobs();
}

/* Knobs that all designs of the front have alike are said once. */
function sharedKnobs() {
  const varied = front.length ? variedKnobs(front) : [];
  const alike = front.length ? info.knobs.map((_, i) => i).filter((i) => !varied.includes(i) && front[0].knobs[i] !== null) : [];
  $("shared-knobs").hidden = alike.length === 0;
  $("shared-knobs").textContent = `All have ${alike.map((i) => `${knobName(info.knobs[i])} ${front[0].knobs[i]}`).join(", ")}.`;
}

function wireTable() {
  $("more").onclick = () => { rowsShown += 2 * ROWS_AT_ONCE; drawTable(); };
  $("all-knobs").onclick = () => { allKnobs = !allKnobs; drawTable(); };
  $("table").onclick = (event) => {
    const button = event.target.closest("button"), row = event.target.closest("tr[data-id]");
    if (!button) { if (row) select(row.dataset.id); return; }
    const { figure, knob } = button.dataset;
    const isSame = knob === undefined ? order.knob === null && order.figure === figure : order.knob === Number(knob);
    order = { figure: figure ?? null, knob: knob === undefined ? null : Number(knob), down: isSame && !order.down };
    drawTable();
    $("table").querySelector(knob === undefined ? `[data-figure="${figure}"]` : `[data-knob="${knob}"]`).focus({ preventScroll: true });
  };
  $("table").onkeydown = (event) => {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.target !== row) return;
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (event.key === "Enter" || event.key === " ") select(row.dataset.id);
    else if (next) next.focus();
    else return;
    event.preventDefault();
  };
}
