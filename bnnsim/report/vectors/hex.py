"""Words as text files that ``$readmemh`` reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def write_hex(path: Path, width_bits: int, words: Iterable[int]) -> None:
    """One word a line, as ``$readmemh`` wants it: as many digits as the width has."""
    digits = -(-width_bits // 4)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for word in words:
            file.write(f"{word:0{digits}x}\n")
