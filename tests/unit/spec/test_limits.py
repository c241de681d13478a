"""docs/limits.md says the bounds that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from bnnsim.spec import bounds

PAGE = Path(__file__).resolve().parents[3] / "docs" / "limits.md"
UNITS = {"": 1, "s": 1, "MiB": 1 << 20, "GiB": 1 << 30}


def _amount(text: str) -> int:
    number, _, unit = text.replace(",", "").partition(" ")
    base, _, power = number.partition("^")
    return int(base) ** int(power or 1) * UNITS[unit]


def test_the_page_says_every_bound_as_it_is() -> None:
    rows = re.findall(r"^\| `(MAX_\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    said = {name: _amount(text) for name, text in rows}
    assert said == {name: value for name, value in vars(bounds).items() if name.startswith("MAX_")}
