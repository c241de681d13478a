/* The front's page in words: headline, tiles, verdict. */

function words() {
  const bounds = info.constraints.concat(`what ${info.device} holds`).join(", ");
  $("crumb").textContent = `${info.space} · sampler ${info.sampler} · seed ${info.seed}`;
  $("headline").textContent = front.length
    ? `${info.workload} on ${info.device}: ${front.length} design${front.length > 1 ? "s" : ""} that nothing beats`
    : `${info.workload} on ${info.device}: no design keeps every bound`;
  $("subtitle").textContent = `${number(info.totals.judged)} accelerators judged by exact timing and the cost model, ` +
    `${number(info.totals.kept)} keep every bound (${bounds}). Sought: ${info.axes.map(wish).join(", ")}.`;
  $("numbers").innerHTML = info.axes.map(tile).join("") + reachedTile() + checkedTile();
  verdict();
  const unclear = front.filter((p) => p.no_clear_lead_over).length;
  $("sureness").textContent = info.sureness + (unclear ? ` ${unclear} of the ${front.length} front designs lead some other one in nothing by as much (≈ in the table).` : "");
  $("sureness").hidden = !info.sureness;
  $("left-out").textContent = `Outside the engine, in no figure here: ${info.outside.join("; ")}.`;
  $("left-out").hidden = !info.outside.length;
  $("colour-name").textContent = info.figures[at[info.axes[0]]].title.toLowerCase();
  const kinds = $("colour").value === "" ? "" : `A colour is a value of ${escaped(knobName(info.knobs[$("colour").value]))}, strong on the front, pale where something beats the design. `;
  const thin = Object.keys(info.error_bars).length ? "Thin lines around the design chosen: four of five such designs lie within. " : "";
  $("reading").innerHTML = kinds + thin + (info.totals.drawn ? grey() : "") + thinned();
}

/* Random designs that cannot keep the bounds at any pace were not timed, and have no place in the picture. */
function grey() {
  const { drawn, paced } = info.totals;
  return `Grey points: what a search without knowledge finds. Of ${number(drawn)} designs with every choice drawn at random, ` +
    (paced < drawn ? `${number(paced)} could keep the bounds at some pace and are shown. ` : "all are shown. ");
}

/* A page with many designs has all of the front, and some of the others. */
function thinned() {
  const { step } = info.totals;
  return step === 1 ? "" : `To stay short, this page has the whole front, but only one in ${step} of the other designs; trials.csv beside it has all.`;
}

const wish = (name) => `${info.figures[at[name]].maximises ? "more" : "less"} ${info.figures[at[name]].title.toLowerCase()}`;

function tile(name) {
  if (!front.length) return "";
  const point = best(name, front);
  const others = info.axes.filter((axis) => axis !== name)
    .map((axis) => valueText(point, axis) + (info.figures[at[axis]].unit ? "" : info.figures[at[axis]].title)).join(", ");
  const most = info.figures[at[name]].maximises ? "Most" : "Least";
  return `<li><button type="button" class="tile" data-id="${point.id}"><span class="label">${most} ${escaped(info.figures[at[name]].title.toLowerCase())}</span>` +
    `<span class="big">${number(figureOf(point, name))} <small>${escaped(info.figures[at[name]].unit)}</small></span>` +
    `<span class="muted">with ${escaped(others)}${tied(name, point)}</span></button></li>`;
}

/* How near the search came to the best front known, or whatever else is the measure. */
function reachedTile() {
  if (!info.scale || !info.curve.length) return "";
  const percent = info.curve[info.curve.length - 1][1] * 100;
  return `<li><span class="label">Hypervolume reached</span><span class="big">${number(Math.round(percent * 10) / 10)} <small>%</small></span>` +
    `<span class="muted">of ${escaped(info.scale.split(" (")[0])}</span></li>`;
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
  const inside = compared.filter((n) => n in info.needed_leads &&
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
