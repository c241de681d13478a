"""Words as text files that ``$readmemh`` reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bnnsim.arrays import Integers
from bnnsim.datapath.words import pack_rows


def write_hex(path: Path, width_bits: int, words: Iterable[int]) -> None:
    """One word a line, as ``$readmemh`` wants it: as many digits as the width has."""
    digits = -(-width_bits // 4)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for word in words:
            file.write(f"{word:0{digits}x}\n")


def hex_lines(rows: Integers, element_bits: int) -> list[str]:
    """A line for each of ``rows`` ``(words, elements)``: a word of all its elements, the first in the
    lowest bits, negative ones in two's complement of ``element_bits``."""
    digits = -(-rows.shape[1] * element_bits // 4)
    return [f"{word:0{digits}x}\n" for word in pack_rows(rows, element_bits)]
