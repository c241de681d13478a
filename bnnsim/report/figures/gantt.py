"""The body of a Gantt chart that the script ``timeline`` draws: buttons, canvas, legend, keys."""

from __future__ import annotations


def gantt_body(legend: str, more_buttons: str = "") -> str:
    """HTML; ``legend`` explains the colours, ``more_buttons`` stand behind those of every chart."""
    return (
        '<div class="controls" role="group" aria-label="Timeline view">'
        '<button type="button" data-do="all">Whole run</button>'
        '<button type="button" data-do="frame">One frame</button>'
        '<button type="button" data-do="cycle">Single cycles</button>'
        '<button type="button" data-do="in" aria-label="Zoom in">+</button>'
        '<button type="button" data-do="out" aria-label="Zoom out">−</button>'
        '<button type="button" data-do="left" aria-label="Earlier">←</button>'
        '<button type="button" data-do="right" aria-label="Later">→</button>'
        '<button type="button" data-do="units" aria-pressed="false">Axis in µs</button>'
        f"{more_buttons}</div>"
        '<canvas class="chart" tabindex="0" role="img" aria-label="Timeline of all units. '
        "Arrow left and right move, plus and minus zoom, arrow up and down choose a unit, "
        'square brackets jump to its next change, Home shows the whole run."></canvas>'
        '<p class="readout" aria-live="polite">&nbsp;</p>'
        f"{legend}"
        '<p class="keys muted">Keys: <kbd>←</kbd> <kbd>→</kbd> move · <kbd>+</kbd> <kbd>−</kbd> '
        "zoom · <kbd>↑</kbd> <kbd>↓</kbd> unit · <kbd>[</kbd> <kbd>]</kbd> its last and next change "
        "· <kbd>Home</kbd> whole run</p>"
    )
