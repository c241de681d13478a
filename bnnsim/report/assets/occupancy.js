"use strict";
// Words in every FIFO over the timeline's cycles: the lowest and highest level of each column.
bnnsim.scripts.occupancy = async (section, data) => {
  const canvas = section.querySelector("canvas"), readout = section.querySelector(".readout");
  const view = bnnsim.view, LANE = 30, TOP = 6, FOOT = 36;
  const unit = data.unit || "words", counted = value => data.unit ? bnnsim.count(value) : value;
  const FEW = 24, isLong = data.rows.length > FEW + 6;
  let sameScale = false, onlyDeep = false, chosen = 0, showsAll = !isLong;
  // Of many the ones that were full longest, then those filled most, come first.
  if (isLong) data.rows.sort((a, b) => b.full - a.full || b.highest / b.depth - a.highest / a.depth);
  view.total = data.cycles;

  // Lowest and highest of every 16, 256, 4096 … neighbours.
  function pyramid(levels) {
    const floors = [[levels, levels]];
    while (floors.at(-1)[0].length > 16) {
      const [low, high] = floors.at(-1), size = Math.ceil(low.length / 16);
      const lower = new Float64Array(size), higher = new Float64Array(size);
      for (let i = 0; i < size; i++) {
        lower[i] = Math.min(...low.slice(16 * i, 16 * i + 16));
        higher[i] = Math.max(...high.slice(16 * i, 16 * i + 16));
      }
      floors.push([lower, higher]);
    }
    return floors;
  }

  function extremes(row, from, to) {
    let low = Infinity, high = -Infinity, floor = 0;
    const take = (level, i) => {
      low = Math.min(low, row.pyramid[level][0][i]);
      high = Math.max(high, row.pyramid[level][1][i]);
    };
    while (from <= to) {
      while (from <= to && (from % 16 || to - from < 16 || floor === row.pyramid.length - 1)) take(floor, from++);
      while (from <= to && (to + 1) % 16) take(floor, to--);
      if (from > to) break;
      from /= 16;
      to = (to + 1) / 16 - 1;
      floor++;
    }
    return [low, high];
  }

  const left = bnnsim.gutter(canvas, data.rows.map(row => bnnsim.arrowed(row.name)), 190, 0.35);
  const rows = () => data.rows.filter(row => !onlyDeep || row.depth > 4).slice(0, showsAll ? Infinity : FEW);
  // Names and axis stand, at their final size, before the first row is unpacked.
  bnnsim.redraw.push(draw);
  draw();

  for (const row of data.rows) {
    const [gaps, changes] = await bnnsim.decodePairs(row.track);
    row.cycles = new Float64Array(gaps.length);
    row.levels = new Float64Array(gaps.length);
    let cycle = 0, level = 0;
    gaps.forEach((gap, i) => {
      cycle += gap;
      level += changes[i] % 2 ? -(changes[i] + 1) / 2 : changes[i] / 2;
      row.cycles[i] = cycle;
      row.levels[i] = level;
    });
    row.pyramid = pyramid(row.levels);
  }

  function draw() {
    const shown = rows(), height = TOP + shown.length * LANE + FOOT;
    const [context, full] = bnnsim.canvas(canvas, height);
    const x0 = left(), width = Math.floor(full - x0), bottom = height - FOOT;
    const deepest = Math.max(...data.rows.map(row => row.highest), 1);
    chosen = Math.min(chosen, shown.length - 1);
    bnnsim.timeGrid(context, x0, full, TOP, bottom);
    shown.forEach((row, i) => {
      const y = TOP + i * LANE + 3, tall = LANE - 7;
      const top = sameScale ? deepest : row.depth;
      drawLane(context, row, x0, y, width, tall, top);
      context.textAlign = "right";
      context.font = `${i === chosen ? "600 " : ""}${x0 < 100 ? 9.5 : 11.5}px system-ui, sans-serif`;
      context.fillStyle = bnnsim.colour(i === chosen ? "accent" : "text");
      context.textBaseline = "top";
      context.fillText(bnnsim.fit(context, x0 < 100 ? row.name.replace(/->.*/, " →") : bnnsim.arrowed(row.name), x0 - 10), x0 - 8, y - 1);
      context.fillStyle = bnnsim.colour("muted");
      context.font = "10px system-ui, sans-serif";
      context.fillText(sameScale ? `0 – ${data.unit ? bnnsim.short(deepest) : bnnsim.count(deepest)} ${unit}` : `0 – ${data.unit ? bnnsim.short(row.depth) : bnnsim.count(row.depth)} ${unit}`, x0 - 8, y + 12);
    });
    canvas.dataset.start = view.start;
    canvas.dataset.end = view.end;
    canvas.dataset.lanes = shown.length;
  }

  function drawLane(context, row, x0, y, width, tall, top) {
    const scale = (view.end - view.start) / width, accent = bnnsim.colour("accent");
    context.fillStyle = bnnsim.colour("idle");
    context.fillRect(x0, y, width, tall);
    if (!row.pyramid) return;
    let from = bnnsim.lastUpTo(row.cycles, view.start);
    for (let x = 0; x < width; x++) {
      const end = view.start + (x + 1) * scale;
      const to = Math.max(from, bnnsim.lastUpTo(row.cycles, end - 1e-9));
      const [low, high] = extremes(row, from, to);
      from = to;
      if (high <= 0) continue;
      const lowTall = low / top * tall, highTall = high / top * tall;
      context.fillStyle = accent;
      context.globalAlpha = 0.35;
      context.fillRect(x0 + x, y + tall - highTall, 1, highTall - lowTall);
      context.globalAlpha = 0.85;
      context.fillRect(x0 + x, y + tall - lowTall, 1, lowTall);
      context.globalAlpha = 1;
      if (low >= row.depth) {
        context.fillStyle = bnnsim.colour("stalled-on-output");
        context.fillRect(x0 + x, y + tall - highTall, 1, 2);
      }
    }
  }

  function tell(row, cycle) {
    const i = bnnsim.lastUpTo(row.cycles, cycle);
    readout.textContent = `${bnnsim.arrowed(row.name)}: ${counted(row.levels[i])} of ${counted(row.depth)} ${unit} at the start of cycle ` +
      `${bnnsim.count(Math.floor(cycle))}; highest ${counted(row.highest)}, mean ${counted(+row.mean.toPrecision(3))} ${unit}, full in ` +
      `${(100 * row.full / data.cycles).toFixed(1)} % of the cycles` + (data.unit ? "." : `; ${row.width} bits a word.`);
  }

  bnnsim.navigate(canvas, left, (event, cycle) => {
    const row = rows()[Math.floor((event.offsetY - TOP) / LANE)];
    if (!row || cycle < view.start || cycle >= view.end) return;
    if (event.type === "pointerup") { chosen = rows().indexOf(row); draw(); }
    tell(row, cycle);
  }, key => {
    if (key !== "ArrowDown" && key !== "ArrowUp") return false;
    chosen = Math.max(0, Math.min(rows().length - 1, chosen + (key === "ArrowDown" ? 1 : -1)));
    if (rows()[chosen]) tell(rows()[chosen], (view.start + view.end) / 2);
    draw();
    return true;
  });
  const many = section.querySelector("[data-do=many]");
  many.hidden = !isLong;
  many.textContent = `All ${data.rows.length}`;
  const actions = {
    many: button => { showsAll = !showsAll; bnnsim.press(button, showsAll); },
    scale: button => { sameScale = !sameScale; bnnsim.press(button, sameScale); },
    deep: button => { onlyDeep = !onlyDeep; bnnsim.press(button, onlyDeep); },
  };
  section.querySelectorAll("[data-do]").forEach(button =>
    button.addEventListener("click", () => { actions[button.dataset.do](button); draw(); }));
  const header = data.unit ? `buffer,capacity_${unit},from_cycle,level_${unit}` : "stream,depth_words,from_cycle,level_words";
  bnnsim.csv[section.id] = () => bnnsim.csvInView(header, data.rows,
    row => [bnnsim.lastUpTo(row.cycles, view.start), bnnsim.lastUpTo(row.cycles, view.end - 1e-9) + 1],
    (row, i) => `${row.name},${row.depth},${row.cycles[i]},${row.levels[i]}`);
  view.listeners.push(draw);
  chosen = data.rows.reduce((best, row, i) => row.full > data.rows[best].full ? i : best, 0);
  draw();
  tell(rows()[chosen], data.cycles / 2);
};
