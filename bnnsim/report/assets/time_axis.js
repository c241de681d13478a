"use strict";
// The stretch of cycles that timeline and occupancy show together, and how keys and fingers move it.
bnnsim.view = {
  start: 0, end: 1, total: 1, clock: 1, inTime: false, listeners: [], least: 12,
  set(start, end) {
    const span = Math.min(this.total, Math.max(Math.min(this.least, this.total), end - start));
    const middle = (start + end) / 2;
    let from = span === end - start ? start : middle - span / 2;
    from = Math.max(0, Math.min(this.total - span, from));
    this.start = from;
    this.end = from + span;
    this.changed();
  },
  changed() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.listeners.forEach(draw => draw()); });
  },
  zoom(factor, at = (this.start + this.end) / 2) {
    this.set(at - (at - this.start) * factor, at + (this.end - at) * factor);
  },
  move(share) {
    const by = (this.end - this.start) * share;
    this.set(this.start + by, this.end + by);
  },
  all() { this.set(0, this.total); },
  label(cycle) {
    return this.inTime ? (cycle / this.clock).toLocaleString("en-US", { maximumFractionDigits: 3 }) + " µs"
                       : bnnsim.count(cycle);
  },
};

// Grid lines and labels of the shared axis, between x = left and x = right.
bnnsim.timeGrid = (context, left, right, top, bottom) => {
  const view = bnnsim.view, span = view.end - view.start, width = right - left;
  const unit = view.inTime ? view.clock : 1;
  const wanted = span / Math.max(3, Math.floor(width / 110)) / unit;
  let step = 10 ** Math.floor(Math.log10(wanted));
  step *= wanted / step > 5 ? 10 : wanted / step > 2 ? 5 : wanted / step > 1 ? 2 : 1;
  if (!view.inTime) step = Math.max(1, Math.round(step));
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (let tick = Math.ceil(view.start / unit / step) * step; tick * unit <= view.end; tick += step) {
    const x = left + (tick * unit - view.start) / span * width;
    context.strokeStyle = bnnsim.colour("line");
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
    context.fillStyle = bnnsim.colour("muted");
    const text = tick.toLocaleString("en-US", { maximumFractionDigits: digits });
    const half = context.measureText(text).width / 2;
    if (x - half > left - 20 && x + half < right + 2) context.fillText(text, x, bottom + 14);
  }
  context.textAlign = "right";
  context.fillStyle = bnnsim.colour("text");
  context.fillText(view.inTime ? "time [µs]" : "clock cycle", right, bottom + 30);
};

// Wheel, drag, pinch and keys on a canvas whose plot lies between left() and its right edge.
bnnsim.navigate = (canvas, left, onMove, onKey) => {
  const view = bnnsim.view, pointers = new Map();
  const place = x => {
    const box = canvas.getBoundingClientRect();
    return view.start + (x - box.left - left()) / (box.width - left()) * (view.end - view.start);
  };
  canvas.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    view.zoom(Math.exp((event.deltaY || event.deltaX) * 0.002), place(event.clientX));
  }, { passive: false });
  canvas.addEventListener("pointerdown", event => {
    pointers.set(event.pointerId, event.clientX);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    const last = pointers.get(event.pointerId);
    if (last === undefined) { onMove(event, place(event.clientX)); return; }
    const scale = (view.end - view.start) / (canvas.clientWidth - left());
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const before = Math.abs(last - other) || 1, now = Math.abs(event.clientX - other) || 1;
      pointers.set(event.pointerId, event.clientX);
      view.zoom(before / now, place((event.clientX + other) / 2));
    } else {
      pointers.set(event.pointerId, event.clientX);
      view.set(view.start - (event.clientX - last) * scale, view.end - (event.clientX - last) * scale);
    }
  });
  for (const kind of ["pointerup", "pointercancel"])
    canvas.addEventListener(kind, event => { pointers.delete(event.pointerId); onMove(event, place(event.clientX)); });
  canvas.addEventListener("dblclick", event => view.zoom(0.4, place(event.clientX)));
  canvas.addEventListener("keydown", event => {
    const keys = {
      ArrowLeft: () => view.move(-0.2), ArrowRight: () => view.move(0.2),
      "+": () => view.zoom(0.5), "=": () => view.zoom(0.5), "-": () => view.zoom(2), Home: () => view.all(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) keys[event.key]();
    else if (!onKey(event.key)) return;
    event.preventDefault();
  });
};

// Index of the last entry of a sorted list that is <= value.
bnnsim.lastUpTo = (list, value) => {
  let low = 0, high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
};
