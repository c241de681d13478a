"use strict";
// Roofline of an engine: its layers under the ceilings of arrays and ports, both axes logarithmic.
bnnsim.scripts.engineRoofline = (section, data) => {
  const plot = section.querySelector(".plot"), readout = section.querySelector(".readout");
  const LINE = 8, SHARES = Array.from({ length: 21 }, (_, i) => i / 20);

  function decades(values, from, to) {
    const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
    const high = 10 ** Math.ceil(Math.log10(Math.max(...values) * 1.01));
    const ticks = [];
    for (let tick = low; tick <= high * 1.001; tick *= 10) ticks.push(tick);
    const at = v => from + Math.log(Math.max(v, low) / low) / Math.log(high / low) * (to - from);
    return { at, low, high, ticks };
  }

  function draw() {
    const width = Math.max(280, plot.clientWidth), height = width < 620 ? 380 : 460;
    const svg = bnnsim.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Roofline" });
    const add = (...all) => svg.append(bnnsim.svg(...all));
    const peaks = Object.values(data.arrays);
    const x = decades(data.points.map(p => p.operations_a_byte), 58, width - 14);
    const y = decades([...data.points.map(p => p.operations_a_cycle), ...peaks], height - 44, 14);
    for (const tick of x.ticks) {
      add("line", { class: "grid", x1: x.at(tick), x2: x.at(tick), y1: 14, y2: height - 44 });
      add("text", { x: x.at(tick), y: height - 28, "text-anchor": x.at(tick) > width - 30 ? "end" : "middle" }, bnnsim.short(tick));
    }
    for (const tick of y.ticks) {
      add("line", { class: "grid", x1: 58, x2: width - 14, y1: y.at(tick), y2: y.at(tick) });
      add("text", { x: 52, y: y.at(tick) + 4, "text-anchor": "end" }, bnnsim.short(tick));
    }
    add("text", { x: width - 14, y: height - 8, "text-anchor": "end" }, "operations a byte through a port");
    add("text", { x: -14, y: 13, "text-anchor": "end", transform: "rotate(-90)" }, "operations a cycle (1 MAC = 2)");
    const taken = data.points.map(p => [x.at(p.operations_a_byte) - 6, y.at(p.operations_a_cycle), 12]);
    const write = (text, spots) => {
      const [left, middle] = bnnsim.free(spots, taken) || spots[0];
      add("text", { x: left, y: middle + 4 }, text);
    };
    const ceilings = [...roofs(add, y, width, taken), ...slants(add, x, y, width, taken)];
    for (const [text, spots] of ceilings) write(text, spots);
    data.points.forEach(p => drawPoint(svg, x.at(p.operations_a_byte), y.at(p.operations_a_cycle), p, taken, width, height));
    plot.replaceChildren(svg);
  }

  // Draw the ceilings of arrays, and those of ports; where each may be named, beside all that is taken.
  function roofs(add, y, width, taken) {
    const names = new Map();
    for (const [name, peak] of Object.entries(data.arrays))
      names.set(peak, [...(names.get(peak) || []), name]);
    return [...names].map(([peak, arrays]) => {
      const at = y.at(peak), text = `${arrays.join(", ")}: ${bnnsim.short(peak)}`, wide = 7 * text.length;
      add("line", { class: "roof", x1: 58, x2: width - 14, y1: at, y2: at });
      taken.push([58, at, width - 72, LINE]);
      const lefts = SHARES.map(share => 64 + share * (width - 82 - wide)).reverse();
      return [text, lefts.flatMap(left => [at + 11, at - 10].map(middle => [left, middle, wide]))];
    });
  }

  function slants(add, x, y, width, taken) {
    return Object.entries(data.ports).flatMap(([name, bytes]) => {
      const from = Math.max(x.low, y.low / bytes), to = Math.min(x.high, y.high / bytes);
      if (to <= from) return [];
      const along = share => [x.at(from * (to / from) ** share), y.at(from * (to / from) ** share * bytes)];
      const [x1, y1] = along(0), [x2, y2] = along(1), text = `${name}: ${bnnsim.short(bytes)} bytes a cycle`;
      add("line", { class: "port", x1, y1, x2, y2 });
      for (let px = x1; px < x2; px += 2) taken.push([px - 1, y1 + (y2 - y1) * (px - x1) / (x2 - x1), 2, LINE]);
      const wide = 7 * text.length, beside = [...SHARES].sort((a, b) => Math.abs(a - 0.5) - Math.abs(b - 0.5));
      const spots = beside.map(along).flatMap(([px, py]) => [[px + 8, py + 8, wide], [px - 8 - wide, py - 8, wide]]);
      return [[text, spots.filter(([left, middle]) => left > 58 && left + wide < width && middle > 20)]];
    });
  }

  function drawPoint(svg, px, py, p, taken, width, height) {
    const group = bnnsim.svg("g", { tabindex: 0, role: "img" });
    const share = p.peak_operations_a_cycle ? ` (${(100 * p.operations_a_cycle / p.peak_operations_a_cycle).toFixed(1)} % of its array's)` : "";
    const spoken = `${p.layer}: ${bnnsim.short(p.operations_a_byte)} operations a byte, ` +
      `${bnnsim.short(p.operations_a_cycle)} operations a cycle${share}` + (p.bound ? `; bound by ${p.bound}` : "");
    group.setAttribute("aria-label", spoken);
    group.append(bnnsim.svg("title", {}, spoken));
    group.append(bnnsim.svg("circle", { class: p.bound === "memory" ? "now memory" : "now", cx: px, cy: py, r: 5 }));
    const wide = 7 * p.layer.length;
    const spot = bnnsim.free(bnnsim.beside(px, py, wide, 58, width, height - 46), taken);
    if (spot) group.append(bnnsim.svg("text", { class: "name", x: spot[0], y: spot[1] + 4 }, p.layer));
    const tell = () => { readout.textContent = spoken + "."; };
    group.addEventListener("pointerenter", tell);
    group.addEventListener("focus", tell);
    svg.append(group);
  }

  bnnsim.redraw.push(draw);
  draw();
};
