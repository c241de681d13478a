/* The page of a FIFO sizing: throughput over memory, and every stream's depth. */
function trace(points, name, more) {
  return { type: "scatter", mode: "markers", name, x: points.map((p) => p.fifo_bits), y: points.map((p) => p.throughput_fps),
    customdata: points.map((p) => [p.interval_cycles, p.bram18]),
    hovertemplate: `<b>%{y:,.6~g} FPS</b>, %{customdata[0]:,} cycles<br>%{x:,} bits, %{customdata[1]} BRAM18<extra>${escaped(name)}</extra>`, ...more };
}

function draw() {
  const curves = [
    trace(info.front, "front", { mode: "lines+markers", line: { color: colour("front"), width: 2, shape: "hv" }, marker: { size: 8, color: colour("front") } }),
    trace([info.chosen], "written", { marker: { size: 14, color: colour("selected"), symbol: "diamond" } }),
    ...(info.before ? [trace([info.before], "own depths", { marker: { size: 12, color: colour("landmark"), symbol: "x" } })] : []),
  ];
  const bits = curves.flatMap((curve) => curve.x).filter((value) => value > 0);
  const pad = .05, ends = bits.length ? [Math.log10(Math.min(...bits)) - pad, Math.log10(Math.max(...bits)) + pad] : [0, 1];
  const look = layout();
  look.xaxis = { ...look.xaxis, type: "log", range: ends, title: named("FIFO memory [bits] · less is better ←"), ...logTicks(ends) };
  look.yaxis = { ...look.yaxis, rangemode: "tozero", automargin: true };
  look.annotations = [heading("Throughput [FPS] · more is better ↑")];
  look.shapes = [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: info.best_fps, y1: info.best_fps, line: { color: colour("muted"), dash: "dot", width: 1 } }];
  picture("front", curves, look, `Throughput over FIFO memory, ${info.front.length} sets of depths. ${info.sentence}`);
}

$("crumb").textContent = `${info.arch} × ${info.workload}`;
$("headline").textContent = `${info.arch} × ${info.workload}: FIFO depths`;
$("sentence").textContent = info.sentence;
$("rows").innerHTML = info.rows.map((r) => `<tr><th scope="row">${escaped(r.stream.replaceAll("->", "\u00a0→ "))}</th>${[r.before_words, r.after_words, r.after_bits].map((value) => `<td>${value.toLocaleString("en")}</td>`).join("")}</tr>`).join("");
wireSaving(`${info.arch}-${info.workload}-fifos`, {
  front: () => csvText(["fifo_bits", "bram18", "interval_cycles", "throughput_fps"], info.front.map((p) => [p.fifo_bits, p.bram18, p.interval_cycles, p.throughput_fps])),
  depths: () => csvText(["stream", "before_words", "after_words", "after_bits"], info.rows.map((r) => [r.stream, r.before_words, r.after_words, r.after_bits])),
});
startPage(draw);
