"""Read-only memories as files for ``$readmemh``: one a part of a deep memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnsim.report.vectors.write import write_hex

_ONE_PART_WORDS = 512
"""Up to here a memory is one part: as many words as a block RAM's widest shape has."""


@dataclass(frozen=True)
class RomImage:
    """The words of one read-only memory, in the order of their addresses, each of ``width_bits``.

    ``name`` is what the module's parameter ``<NAME>_FILE`` is called by; ``address`` and ``layout`` say
    in words what is where. ``words`` are non-negative: two's complement where elements are signed.
    """

    name: str
    width_bits: int
    words: tuple[int, ...]
    address: str
    layout: str
    owner: str = ""
    """Which of several memories of that name it is: what follows the name in its files'."""


def part_depths(depth_words: int) -> Iterator[int]:
    """Words of each part of a memory, as ``rom.v`` lays it out.

    The largest power of two comes first, then what is left, as long as that is at most half as much.
    """
    left = depth_words
    while left:
        top = 1 << left.bit_length() - 1
        if left <= _ONE_PART_WORDS or 2 * (left - top) > top:
            top = left
        yield top
        left -= top


def write_rom(stem: Path, image: RomImage) -> list[Path]:
    """Write a memory's parts as ``<stem>_a.hex``, ``<stem>_b.hex`` ...; returns the files."""
    files = []
    start = 0
    for number, depth in enumerate(part_depths(len(image.words))):
        file = stem.with_name(f"{stem.name}_{chr(ord('a') + number)}.hex")
        write_hex(file, image.width_bits, image.words[start : start + depth])
        files.append(file)
        start += depth
    return files
