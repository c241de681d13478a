"""Which code judges designs: a digest of its source, since a version number says too little.

Figures of a study compare only where the same code gave them, and a search goes on as it began only where
the same code proposes. What shows results (cli, report) or brings networks (importers) may change.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from bnnsim.spec.library import shipped_folder

PACKAGE = Path(__file__).resolve().parents[2]
JUDGING_ROOMS = (
    "arrays", "cost", "datapath", "design", "evaluation", "functional", "search", "simulation", "spec",
    "timing",
)  # fmt: skip
"""The rooms of the package whose source decides what a design is and what its figures are."""


@cache
def judging_code() -> str:
    """The first 16 digits of the SHA-256 of all sources and data that judge a design."""
    return source_digest(PACKAGE, shipped_folder("device"))


def source_digest(package: Path, devices: Path) -> str:
    """The digest of the judging rooms of a ``package`` folder, and of the ``devices`` it knows."""
    digest = hashlib.sha256()
    rooms = [package / room for room in JUDGING_ROOMS]
    files = [
        (path.relative_to(package).as_posix(), path)
        for room in rooms
        for kind in ("*.py", "*.yaml")
        for path in room.rglob(kind)
    ]
    files += [(f"devices/{path.name}", path) for path in devices.glob("*.yaml")]
    for name, path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
