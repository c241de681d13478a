"""Read-only memories as files for ``$readmemh``: one a part of a deep memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bnnsim.cost.own.structure import part_depths
from bnnsim.report.vectors.hex import write_hex


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
