"""What a command that writes files says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bnnsim.files.schema_version import versioned


@dataclass(frozen=True)
class WrittenFiles:
    """Files that a command wrote."""

    files: Mapping[str, str]
    """Path by what it is: page, manifest, vcd, perfetto, workload, weights, arch, folding."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What is in them: words, streams (an engine's ports), memories; of a trace first_cycle, end_cycle
    and frames."""
    notes: tuple[str, ...] = ()
    """What is to be known of them."""
    losses: tuple[str, ...] = ()
    """What could not be said in them."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def written(
    files: Mapping[str, Path | None],
    counts: Mapping[str, int] | None = None,
    notes: Sequence[str] = (),
    losses: Sequence[str] = (),
) -> WrittenFiles:
    """The record of ``files``, without those that are None."""
    paths = {what: str(path) for what, path in files.items() if path is not None}
    return WrittenFiles(paths, counts or {}, tuple(notes), tuple(losses))
