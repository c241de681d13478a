"use strict";
// Roofline, bars by resource, the pipeline's arcs and buttons, pictures that grow.
bnnsim.svg = (name, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

// The first of the boxes (left, middle, width) that shares no place with those taken, which are a line
// high unless their fourth number says how near a text's middle may come.
bnnsim.free = (boxes, taken) => {
  const found = boxes.find(([left, middle, wide]) => !taken.some(([otherLeft, otherMiddle, otherWide, near = 11]) =>
    Math.abs(otherMiddle - middle) < near && left < otherLeft + otherWide && otherLeft < left + wide));
  if (found) taken.push(found);
  return found;
};

// Where a point's name may stand: beside it, then higher or lower, within the picture.
bnnsim.beside = (x, y, wide, low, width, floor) => [0, -14, 14]
  .flatMap(by => [[x + 10, y + by, wide], [x - 10 - wide, y + by, wide]])
  .filter(([left, middle]) => left > low && left + wide + 4 < width && middle < floor && middle > 20);

bnnsim.scripts.roofline = (section, data) => {
  const plot = section.querySelector(".plot"), readout = section.querySelector(".readout");
  let linear = false;

  function scales(width, height) {
    const xs = [], ys = [];
    for (const p of [...data.points, data.total]) {
      xs.push(p.words_a_cycle, p.peak_words_a_cycle);
      ys.push(p.operations_a_cycle, p.peak_operations_a_cycle);
    }
    const make = (values, from, to) => {
      const positive = values.filter(v => v > 0);
      if (linear) {
        const top = Math.max(...positive) * 1.05;
        return { at: v => from + v / top * (to - from), low: 0, high: top, ticks: linearTicks(top) };
      }
      const low = 10 ** Math.floor(Math.log10(Math.min(...positive)));
      const high = 10 ** Math.ceil(Math.log10(Math.max(...positive) * 1.01));
      const ticks = [];
      for (let tick = low; tick <= high * 1.001; tick *= 10) ticks.push(tick);
      const at = v => from + Math.log(Math.max(v, low) / low) / Math.log(high / low) * (to - from);
      return { at, low, high, ticks };
    };
    return [make(xs, 58, width - 14), make(ys, height - 44, 14)];
  }

  function linearTicks(top) {
    let step = 10 ** Math.floor(Math.log10(top / 4));
    step *= top / 4 / step >= 5 ? 5 : top / 4 / step >= 2 ? 2 : 1;
    return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
  }

  function draw() {
    const width = Math.max(280, plot.clientWidth), height = width < 620 ? 380 : 460;
    const svg = bnnsim.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Roofline" });
    const [x, y] = scales(width, height), add = (...all) => svg.append(bnnsim.svg(...all));
    for (const tick of x.ticks) {
      add("line", { class: "grid", x1: x.at(tick), x2: x.at(tick), y1: 14, y2: height - 44 });
      add("text", { x: x.at(tick), y: height - 28, "text-anchor": "middle" }, bnnsim.short(tick));
    }
    for (const tick of y.ticks) {
      add("line", { class: "grid", x1: 58, x2: width - 14, y1: y.at(tick), y2: y.at(tick) });
      add("text", { x: 52, y: y.at(tick) + 4, "text-anchor": "end" }, bnnsim.short(tick));
    }
    add("text", { x: width - 14, y: height - 8, "text-anchor": "end" }, "weight-memory words a cycle");
    const turned = { x: -14, y: 13, "text-anchor": "end", transform: "rotate(-90)" };
    add("text", turned, "binary operations a cycle (1 MAC = 2)");
    drawSlopes(svg, x, y);
    const roof = y.at(data.total.peak_operations_a_cycle);
    add("line", { class: "roof", x1: 58, x2: width - 14, y1: roof, y2: roof });
    const taken = [...data.points, data.total].flatMap(p => [
      [x.at(p.peak_words_a_cycle) - 6, y.at(p.peak_operations_a_cycle), 12],
      [x.at(p.words_a_cycle) - 7, y.at(p.operations_a_cycle), 14],
    ]);
    const amount = `all PEs busy: ${bnnsim.count(data.total.peak_operations_a_cycle)}`;
    const texts = [`${amount} operations a cycle`, amount];
    const spots = texts.flatMap(text => [roof + 11, roof - 10].flatMap(middle => {
      const wide = 6.5 * text.length;
      return [64, width - 20 - wide].map(left => [left, middle, wide, text]);
    }));
    const [left, middle, , text] = bnnsim.free(spots, taken) || spots[0];
    add("text", { x: left, y: middle + 4 }, text);
    taken.push([58, roof, width, 5]);
    data.points.forEach(p => drawPoint(svg, x, y, p, p.unit, "now", taken, width));
    drawPoint(svg, x, y, data.total, "all units", "now total", taken, width);
    plot.replaceChildren(svg);
    plot.dataset.axes = linear ? "linear" : "log";
  }

  function drawSlopes(svg, x, y) {
    for (const simd of new Set(data.points.map(p => p.simd))) {
      const from = Math.max(x.low || x.high / 1e4, y.low / (2 * simd)), to = Math.min(x.high, y.high / (2 * simd));
      if (to > from) svg.append(bnnsim.svg("line",
        { class: "slope", x1: x.at(from), y1: y.at(from * 2 * simd), x2: x.at(to), y2: y.at(to * 2 * simd) }));
    }
  }

  function drawPoint(svg, x, y, p, name, css, taken, width) {
    const x1 = x.at(p.words_a_cycle), y1 = y.at(p.operations_a_cycle);
    const x2 = x.at(p.peak_words_a_cycle), y2 = y.at(p.peak_operations_a_cycle);
    const group = bnnsim.svg("g", { tabindex: 0, role: "img" });
    const share = (100 * p.operations_a_cycle / p.peak_operations_a_cycle).toFixed(1);
    const spoken = `${name}: ${bnnsim.short(p.operations_a_cycle)} of ${bnnsim.count(p.peak_operations_a_cycle)} operations a cycle ` +
      `(${share} %), ${bnnsim.short(p.words_a_cycle)} memory words a cycle` + (p.simd ? `, PE ${p.pe} × SIMD ${p.simd}` : "");
    group.setAttribute("aria-label", spoken);
    group.append(bnnsim.svg("title", {}, spoken));
    group.append(bnnsim.svg("line", { class: "move", x1, y1, x2, y2 }));
    group.append(bnnsim.svg("circle", { class: "peak", cx: x2, cy: y2, r: 4 }));
    group.append(bnnsim.svg("circle", { class: css, cx: x1, cy: y1, r: 6 }));
    const wide = 7 * name.length, floor = Math.max(y.at(y.low), y.at(y.high)) - 2;
    const spots = bnnsim.beside(x1, y1, wide, 58, width, floor);
    const spot = bnnsim.free(spots, taken);
    if (spot) group.append(bnnsim.svg("text", { class: "name", x: spot[0], y: spot[1] + 4 }, name));
    const tell = () => { readout.textContent = spoken + "."; };
    group.addEventListener("pointerenter", tell);
    group.addEventListener("focus", tell);
    svg.append(group);
  }

  section.querySelector("[data-do=axes]").addEventListener("click", event => {
    linear = !linear;
    bnnsim.press(event.target, linear);
    draw();
  });
  bnnsim.redraw.push(draw);
  draw();
};

bnnsim.scripts.costs = (section, data) => {
  const list = section.querySelector(".costs"), buttons = section.querySelectorAll("[data-key]");
  const more = section.querySelector(".more"), FEW = 14;
  let showsAll = false, current = 0;
  function show(key) {
    current = key;
    const rows = data.rows.map(row => [row.name, row.values[key]]).filter(([, value]) => value > 0);
    rows.sort((a, b) => b[1] - a[1]);
    const most = rows.length ? rows[0][1] : 1, total = rows.reduce((sum, [, value]) => sum + value, 0);
    more.hidden = rows.length <= FEW;
    more.textContent = showsAll ? "Only the largest" : `All ${rows.length}`;
    more.setAttribute("aria-expanded", showsAll ? "true" : "false");
    list.replaceChildren(...rows.slice(0, showsAll ? rows.length : FEW).map(([name, value]) => {
      const item = document.createElement("li"), bar = document.createElement("i");
      const label = document.createElement("span"), amount = document.createElement("data");
      label.textContent = bnnsim.arrowed(name);
      bar.style.width = 100 * value / most + "%";
      amount.value = value;
      const whole = Number.isInteger(value) ? bnnsim.count(value) : String(+value.toPrecision(3));
      amount.textContent = `${whole}${data.units[key] === "µJ" ? " µJ" : ""} (${(100 * value / total).toFixed(0)}\u00a0%)`;
      item.append(label, bar, amount);
      return item;
    }));
    buttons.forEach((button, i) => bnnsim.press(button, i === key));
  }
  buttons.forEach((button, i) => button.addEventListener("click", () => show(i)));
  more.addEventListener("click", () => { showsAll = !showsAll; show(current); });
  if (buttons.length) show(0);
};

bnnsim.scripts.pipeline = (section, data) => {
  const list = section.querySelector(".pipeline"), svg = section.querySelector(".arcs");
  section.querySelectorAll("button.unit").forEach(button => button.addEventListener("click", () =>
    bnnsim.showUnit(button.dataset.unit)));
  const unfold = section.querySelector("[data-do=unfold]"), groups = [...section.querySelectorAll("details")];
  if (unfold) unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    groups.forEach(group => { group.open = open; });
    bnnsim.press(unfold, open);
  });
  groups.forEach(group => group.addEventListener("toggle", draw));
  function draw() {
    const gutter = data.arcs.length ? 12 + 9 * Math.min(4, data.arcs.length) : 0;
    list.style.setProperty("--gutter", gutter + "px");
    const rows = [...list.querySelectorAll(".layer")];
    // A layer in a folded group is where the group's heading is.
    const seen = row => row.closest("details:not([open])") || row;
    const ends = data.arcs.map(([from, to]) => [seen(rows[from]), seen(rows[to])]).filter(([from, to]) => from !== to);
    svg.replaceChildren(...ends.map(([from, to], i) => {
      const y1 = from.offsetTop + from.offsetHeight - 14, y2 = to.offsetTop + 22;
      const x = gutter - 14 - 9 * (i % 4), end = gutter - 2;
      const path = `M${end} ${y1}C${x} ${y1} ${x} ${y1} ${x} ${y1 + 14}V${y2 - 14}C${x} ${y2} ${x} ${y2} ${end} ${y2}` +
        `m-6 -4l6 4l-6 4`;
      return bnnsim.svg("path", { d: path });
    }));
  }
  bnnsim.redraw.push(draw);
  draw();
};

bnnsim.scripts.engineLayers = section => {
  const list = section.querySelector(".turns");
  section.querySelector("[data-do=shares]").addEventListener("click", event =>
    bnnsim.press(event.target, list.classList.toggle("shares")));
};

bnnsim.scripts.activations = section => {
  section.querySelectorAll(".picture").forEach(button => button.addEventListener("click", () =>
    bnnsim.press(button, button.getAttribute("aria-pressed") !== "true")));
};
