"""Words on colours can be read: 4.5 to 1, as WCAG 2 asks of small text, in both themes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = (files("bnnsim.report") / "assets" / "page.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r"\{([^{}]*--bg: [^{}]*)\}", CSS)[:2]
)
PAIRS = [
    *(("text", ground) for ground in ("bg", "surface", "idle", "busy-soft", "input-soft")),
    *(("muted", ground) for ground in ("bg", "surface")),
    *(("surface", ground) for ground in ("busy", "stalled-on-output", "accent")),  # on bars and boxes
    *((ink, "surface") for ink in ("good", "accent")),
]


def _luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, by WCAG 2's formula."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_formula_gives_the_known_ends() -> None:
    assert (_luminance("#ffffff"), _luminance("#000000")) == (pytest.approx(1), 0)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(theme: dict[str, str], ink: str, ground: str) -> None:
    lighter, darker = sorted((_luminance(theme[ink]), _luminance(theme[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ink, ground)
