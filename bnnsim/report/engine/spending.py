"""Memory or compute: what each part of an engine twice as fast would bring, and its ports' traffic."""

from __future__ import annotations

from html import escape

from bnnsim.report.figures.figure import Figure, csv_text, exact, number
from bnnsim.timing.engine.spending import CLASS_OF, CLASSES, Spending

_NAMES = {
    "compute": "all arrays and stages",
    "memory": "all ports",
    "host": "the host",
    "overhead": "the overhead",
}


def spending_figure(spending: Spending, clock_mhz: float) -> Figure:
    """A bar for each resource and class twice as fast, and a table of the ports."""
    fps = clock_mhz * 1e6 / spending.interval_cycles
    bars = [(_NAMES[name], name, spending.speedups[name]) for name in CLASSES]
    bars += [(one.name, CLASS_OF[one.kind], one.speedup) for one in spending.resources]
    bars = [bar for bar in bars if bar[2] > 1]
    most = max((speedup for _, _, speedup in bars), default=1.0)
    rows = "".join(_bar(name, bound, speedup, fps, most) for name, bound, speedup in bars)
    header = ("resource", "kind", "busy_cycles", "interval_cycles", "throughput_fps", "counts")
    csv = csv_text(
        header,
        [
            (one.name, one.kind, one.busy_cycles, one.interval_cycles, fps * one.speedup, one.counts)
            for one in spending.resources
        ],
    )
    note = (
        f"Frames a second with one thing twice as fast and all else as it is, of {exact(fps)} now; each "
        "was timed. A port twice as wide moves half the words; its latency is a bar of its own."
    )
    body = f'<ul class="bars">{rows}</ul>{_ports(spending)}'
    return Figure("spending", "Twice as fast [frames/s]", note, body, csv)


def _bar(name: str, bound: str, speedup: float, fps: float, most: float) -> str:
    share = 100 * (speedup - 1) / (most - 1) if most > 1 else 0.0
    css = ' class="limit"' if name in _NAMES.values() else ""
    return (
        f"<li{css}><span>{escape(name)}<small class='muted'> {bound}</small></span>"
        f'<i style="width:{share:.2f}%"></i>'
        f'<span class="amount">{exact(fps * speedup)} (×&nbsp;{speedup:.3g})</span></li>'
    )


def _ports(spending: Spending) -> str:
    if not spending.ports:
        return ""
    rows = "".join(
        f"<tr><td>{escape(port.name)}</td><td>{exact(port.loaded_bytes)}</td>"
        f"<td>{exact(port.stored_bytes)}</td><td>{number(port.asked_gb_s, 3)}</td>"
        f"<td>{number(port.had_gb_s, 3)}</td><td>{number(port.peak_gb_s, 3)}</td>"
        f"<td>{number(port.moved_gb_s, 3)}</td>"
        f"<td>{port.busy_cycles / spending.interval_cycles:.0%}</td></tr>"
        for port in spending.ports
    )
    heads = (
        "port",
        "in [bytes a frame]",
        "out [bytes a frame]",
        "asked [GB/s]",
        "had [GB/s]",
        "peak [GB/s]",
        "moved [GB/s]",
        "at work",
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        '<p class="note">Asked: what frames would ask for if the port took no time. Had: with the '
        'latency of its bursts.</p><div class="table" tabindex="0" role="region" aria-label="Ports">'
        f"<table><tr>{head}</tr>{rows}</table></div>"
    )
