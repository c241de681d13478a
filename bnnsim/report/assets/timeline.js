"use strict";
// Gantt chart: exact segments where they are wide enough to see, else each column's shares.
bnnsim.scripts.timeline = async (section, data) => {
  const canvas = section.querySelector("canvas"), readout = section.querySelector(".readout");
  const view = bnnsim.view, ROW = 18, TOP = 26, FOOT = 36;
  const MANY = 80; // rows beyond which matrix units stand alone at first
  let rows = data.rows, chosen = Math.max(0, rows.findIndex(row => data.limiting.includes(row.name)));
  let colours = [], cursor = null, told = null;
  view.total = data.cycles;
  view.clock = data.clock_mhz;
  view.start = 0;
  view.end = data.cycles;

  const left = bnnsim.gutter(canvas, data.rows.map(row => "▸ " + row.name), 132, 0.25);
  const segmentAt = (row, cycle) => Math.min(row.states.length - 1, bnnsim.lastUpTo(row.starts, cycle));
  const upTo = (row, state, cycle) => {
    const i = segmentAt(row, cycle);
    return row.sums[state][i] + (row.states[i] === state ? cycle - row.starts[i] : 0);
  };

  // Names and axis stand, at their final size, before the first row is unpacked.
  bnnsim.redraw.push(draw);
  draw();

  for (const row of data.rows) {
    const [states, lengths] = await bnnsim.decodePairs(row.track);
    row.states = Uint8Array.from(states);
    row.starts = new Float64Array(states.length + 1);
    row.sums = data.states.map(() => new Float64Array(states.length + 1));
    lengths.forEach((length, i) => {
      row.starts[i + 1] = row.starts[i] + length;
      row.sums.forEach((sum, state) => { sum[i + 1] = sum[i] + (states[i] === state ? length : 0); });
    });
  }

  function drawSegments(context, row, y, x0, scale) {
    const last = segmentAt(row, view.end - 1e-9);
    for (let i = segmentAt(row, view.start); i <= last; i++) {
      const from = Math.max(row.starts[i], view.start), to = Math.min(row.starts[i + 1], view.end);
      context.fillStyle = colours[row.states[i]];
      context.fillRect(x0 + (from - view.start) * scale, y, Math.max(0.5, (to - from) * scale), ROW - 4);
    }
  }

  function drawShares(context, row, y, x0, scale, width) {
    const height = ROW - 4, order = [1, 2, 3, 4, 5];
    let before = order.map(state => upTo(row, state, view.start));
    for (let x = 0; x < width; x++) {
      const to = Math.min(view.end, view.start + (x + 1) / scale);
      const now = order.map(state => upTo(row, state, to));
      let base = y + height;
      order.forEach((state, k) => {
        const tall = (now[k] - before[k]) * scale * height;
        if (tall <= 0) return;
        context.fillStyle = colours[state];
        context.fillRect(x0 + x, base - tall, 1, tall);
        base -= tall;
      });
      before = now;
    }
  }

  function drawStates(context, row, y, x0, scale, width) {
    const shown = segmentAt(row, view.end - 1e-9) - segmentAt(row, view.start);
    if (shown < width / 2) drawSegments(context, row, y, x0, scale);
    else drawShares(context, row, y, x0, scale, Math.floor(width));
  }

  function draw() {
    const height = TOP + rows.length * ROW + FOOT;
    const [context, full] = bnnsim.canvas(canvas, height);
    const x0 = left(), width = full - x0, span = view.end - view.start, scale = width / span;
    const bottom = height - FOOT;
    colours = data.classes.map(name => bnnsim.colour(name));
    bnnsim.timeGrid(context, x0, full, TOP, bottom);
    rows.forEach((row, i) => {
      const y = TOP + i * ROW + 2;
      context.fillStyle = colours[0];
      context.fillRect(x0, y, width, ROW - 4);
      if (row.sums) drawStates(context, row, y, x0, scale, width);
      context.textAlign = "right";
      context.textBaseline = "middle";
      const limits = data.limiting.includes(row.name);
      context.font = `${limits || i === chosen ? "600 " : ""}${x0 < 100 ? 10 : 12}px system-ui, sans-serif`;
      context.fillStyle = bnnsim.colour(i === chosen ? "accent" : "text");
      context.fillText(bnnsim.fit(context, (limits ? "▸ " : "") + row.name, x0 - 8), x0 - 7, y + (ROW - 4) / 2 + 1);
    });
    if (scale >= 5) drawCycles(context, x0, scale, bottom);
    if (chosen >= 0) {
      context.strokeStyle = bnnsim.colour("accent");
      context.strokeRect(x0 + 0.5, TOP + chosen * ROW + 0.5, width - 1, ROW - 1);
    }
    drawFrameEnds(context, x0, scale, bottom, full);
    canvas.dataset.rows = rows.length;
    canvas.dataset.start = view.start;
    canvas.dataset.end = view.end;
  }

  // Cycles wide enough to tell apart get a line each.
  function drawCycles(context, x0, scale, bottom) {
    context.fillStyle = bnnsim.colour("surface");
    context.globalAlpha = 0.6;
    for (let cycle = Math.ceil(view.start); cycle <= view.end; cycle++)
      context.fillRect(x0 + (cycle - view.start) * scale - 0.5, TOP, 1, bottom - TOP);
    context.globalAlpha = 1;
  }

  function drawFrameEnds(context, x0, scale, bottom, full) {
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "alphabetic";
    context.textAlign = "right";
    let free = x0;
    data.frame_end_cycles.forEach((cycle, frame) => {
      if (cycle < view.start || cycle > view.end) return;
      const x = x0 + (cycle + 1 - view.start) * scale, text = `frame ${frame} out`;
      context.strokeStyle = bnnsim.colour("text");
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(x, 16);
      context.lineTo(x, bottom);
      context.stroke();
      context.setLineDash([]);
      const at = Math.min(full - 1, x), wide = context.measureText(text).width;
      context.fillStyle = bnnsim.colour("muted");
      if (at - wide > free) { context.fillText(text, at, 13); free = at + 4; }
    });
  }

  function tell(row, cycle) {
    told = [row, cycle];
    const i = segmentAt(row, cycle), from = row.starts[i], to = row.starts[i + 1];
    const limits = data.limiting.includes(row.name) ? " (sets the pace)" : "";
    readout.textContent = `${row.name}${limits}, cycle ${bnnsim.count(Math.floor(cycle))} ` +
      `(${(cycle / data.clock_mhz).toFixed(2)} µs): ${data.states[row.states[i]]}, cycles ` +
      `${bnnsim.count(from)} to ${bnnsim.count(to - 1)} (${bnnsim.count(to - from)} in a row). ` +
      `In view: ${shares(row)}.`;
  }

  function shares(row) {
    const span = view.end - view.start;
    return data.states.map((text, state) => [text, upTo(row, state, view.end) - upTo(row, state, view.start)])
      .filter(([, cycles]) => cycles > 0)
      .map(([text, cycles]) => `${text} ${(100 * cycles / span).toFixed(1)} %`).join(", ");
  }

  function choose(index) {
    chosen = Math.max(0, Math.min(rows.length - 1, index));
    tell(rows[chosen], (view.start + view.end) / 2);
    draw();
  }

  function jump(direction) {
    const row = rows[chosen];
    const middle = cursor !== null && cursor >= view.start && cursor <= view.end ? cursor : (view.start + view.end) / 2;
    let i = segmentAt(row, middle) + direction;
    i = Math.max(0, Math.min(row.states.length - 1, i));
    cursor = row.starts[i];
    const half = (view.end - view.start) / 2;
    view.set(cursor - half, cursor + half);
    tell(row, cursor);
  }

  bnnsim.navigate(canvas, left, (event, cycle) => {
    const row = rows[Math.floor((event.offsetY - TOP) / ROW)];
    if (!row || cycle < view.start || cycle >= view.end) return;
    if (event.type === "pointerup") { chosen = rows.indexOf(row); draw(); }
    tell(row, cycle);
  }, key => {
    if (key === "ArrowDown" || key === "ArrowUp") choose(chosen + (key === "ArrowDown" ? 1 : -1));
    else if (key === "[" || key === "]") jump(key === "]" ? 1 : -1);
    else return false;
    return true;
  });

  const frame = () => {
    const ends = data.frame_end_cycles;
    if (ends.length > 1) view.set(ends[ends.length - 2] + 1, ends[ends.length - 1] + 1);
    else view.all();
  };
  function showOnly(matrices) {
    const row = rows[chosen];
    rows = matrices ? data.rows.filter(row => row.kind === "mvau") : data.rows;
    bnnsim.press(section.querySelector("[data-do=matrices]"), matrices);
    choose(Math.max(0, rows.indexOf(row)));
  }

  const actions = {
    matrices: button => showOnly(button.getAttribute("aria-pressed") !== "true"),
    all: () => view.all(), frame,
    cycle: () => {
      const row = rows[chosen], busy = row.states.indexOf(1, Math.floor(row.states.length / 2));
      const at = busy >= 0 ? row.starts[busy] : (view.start + view.end) / 2;
      view.set(at - 30, at + 30);
    },
    in: () => view.zoom(0.5), out: () => view.zoom(2), left: () => view.move(-0.5), right: () => view.move(0.5),
    units: button => { view.inTime = !view.inTime; bnnsim.press(button, view.inTime); view.changed(); },
  };
  section.querySelectorAll("[data-do]").forEach(button =>
    button.addEventListener("click", () => actions[button.dataset.do](button)));
  bnnsim.showUnit = name => {
    if (!rows.some(row => row.name === name)) showOnly(false);
    const index = rows.findIndex(row => row.name === name);
    if (index < 0) return;
    section.scrollIntoView();
    canvas.focus({ preventScroll: true });
    choose(index);
  };
  bnnsim.csv[section.id] = () => bnnsim.csvInView("unit,state,start_cycle,end_cycle", data.rows,
    row => [segmentAt(row, view.start), segmentAt(row, view.end - 1e-9) + 1],
    (row, i) => `${row.name},${data.states[row.states[i]]},${row.starts[i]},${row.starts[i + 1]}`);
  if (data.rows.length > MANY && section.querySelector("[data-do=matrices]")) showOnly(true);
  view.listeners.push(() => {
    draw();
    const [row, cycle] = told;
    tell(row, cycle >= view.start && cycle < view.end ? cycle : (view.start + view.end) / 2);
  });
  draw();
  tell(rows[chosen], data.cycles / 2);
};
