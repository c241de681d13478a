/* What a point of the picture says when it is pointed at. */
function hover(point, what) {
  const figures = info.figures.slice(0, 9).map((f) => `${escaped(f.title)}: <b>${valueText(point, f.name)}</b>`);
  const knobs = info.knobs.map((name, i) => [name, point.knobs[i]]).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replace("layers.", "")} ${value}`);
  const lines = [];
  for (let i = 0; i < knobs.length; i += 4) lines.push(escaped(knobs.slice(i, i + 4).join(" · ")));
  const why = point.why ? `<br><b>not allowed: ${escaped(point.why)}</b>` : "";
  return `<b>${what} ${point.id}</b>${why}<br>${figures.join("<br>")}<br><span style="font-size:11px">${lines.join("<br>")}</span>`;
}

/* The words of a point are made when it is pointed at: ten thousand texts would take seconds. */
function wireHover() {
  const plot = $("front-plot"), box = $("hover");
  let mouse = { clientX: 0, clientY: 0 };
  plot.addEventListener("pointermove", (event) => { mouse = event; });
  plot.on("plotly_unhover", () => { box.hidden = true; });
  plot.on("plotly_hover", (event) => {
    const at = event.points.find((p) => p.data.meta !== undefined);
    if (!at) return;
    const group = shown[at.data.meta];
    box.innerHTML = hover(group.points[at.pointNumber], group.what);
    box.hidden = false;
    const left = mouse.clientX + 14, top = mouse.clientY + 14;
    box.style.left = `${Math.max(4, Math.min(left, window.innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(4, Math.min(top, window.innerHeight - box.offsetHeight - 8))}px`;
  });
}
