"""Store a better best-known front: ``python tools/best_known.py SPACE FOLDER ... --origin TEXT``.

Each FOLDER is one that ``bnnsim explore`` left, of one space with its own aims; their trials together,
with all that keep their bounds, are held against the space's entry of
``bnnsim/search/storage/best_known.yaml`` beside this tool, which is replaced where they dominate more. A
space without an entry gets one, measured from a hundredth of the span beyond its worst designs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bnnsim.files.whole import whole_text
from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.front.objectives import Objective, parse_constraints, parse_objectives
from bnnsim.search.space.alternatives import load_search_space
from bnnsim.search.storage.record import reference_corner
from bnnsim.spec.faults import InputError, SpecError

DATA = Path(__file__).resolve().parents[1] / "bnnsim" / "search" / "storage" / "best_known.yaml"
"""The entries of the checkout that this tool is in, whichever package is imported."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("space")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--data", type=Path, default=DATA, help="the file of entries")
    options = parser.parse_args(arguments)
    try:
        store(options.space, options.folders, options.origin, options.data)
    except SpecError as error:
        sys.exit(str(error))


def store(space: str, folders: Sequence[Path], origin: str, data: Path) -> bool:
    """Hold the trials in ``folders`` against the entry of a space; whether ``data`` has a better one now.

    Raises :class:`SpecError` for a space that there is not, and for trials that are not of its aims.
    """
    text = data.read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text) or []
    fresh = new_entry(space)
    known = next((entry for entry in entries if entry["space"] == fresh["space"]), None)
    entry = fresh if known is None else known
    objectives = parse_objectives(entry["objectives"])
    rows = [row for folder in folders for row in trials_in(folder, objectives)]
    kept = [row for row in rows if row["feasible"] == "yes"]
    if not kept:
        raise InputError(", ".join(map(str, folders)), "designs that keep every bound", "none")
    losses = np.array([[o.loss(float(row[o.name])) for o in objectives] for row in kept])
    losses = np.unique(losses, axis=0)
    if known is None:
        corner = reference_corner(losses.max(axis=0), losses.min(axis=0))
        pairs = zip(objectives, corner.tolist(), strict=True)
        entry["corner"] = [-end if o.maximises else end for o, end in pairs]
    corner = np.array([o.loss(c) for o, c in zip(objectives, entry["corner"], strict=True)])
    found = float(hypervolume(losses[is_on_front(losses)], corner))
    best = float(entry.get("hypervolume", 0.0))
    share = f"{found / best:.2%} of the best known" if best > 0 else "the first known"
    print(f"{len(rows):,} designs: {found:.10g}, {share}")
    if found <= best:
        return False
    entry |= {"hypervolume": found, "designs": len(rows), "origin": origin}
    if known is None:
        entries.append(entry)
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    with whole_text(data) as file:
        file.write(head + yaml.safe_dump(entries, sort_keys=False, width=100, allow_unicode=True))
    print(f"stored in {data}")
    return True


def new_entry(space: str) -> dict[str, Any]:
    """The aims of a space that has no entry. Raises :class:`SpecError` where there is no such space."""
    loaded = load_search_space(space)
    return {
        "space": loaded.name,
        "workload": " or ".join(loaded.workloads),
        "objectives": [one.text for one in parse_objectives(loaded.explore.objectives)],
        "constraints": [str(one) for one in parse_constraints(loaded.explore.constraints)],
    }


def trials_in(folder: Path, objectives: Sequence[Objective]) -> list[dict[str, str]]:
    """The rows of a folder's ``trials.csv``. Raises :class:`InputError` where it is not of these aims."""
    path = folder / "trials.csv"
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise InputError(str(path), "a table that explore wrote", error.strerror or "none") from None
    missing = [o.name for o in objectives if rows and o.name not in rows[0]]
    if missing or not rows or "feasible" not in rows[0]:
        raise InputError(str(path), "trials with every objective", f"none for {', '.join(missing)}")
    return rows


if __name__ == "__main__":
    main()
