"""Store a better best-known front: ``python tools/best_known.py FOLDER ... --origin TEXT``.

Each FOLDER is one that ``bnnsim explore`` left, of one space with its own aims; their trials together,
with all that keep their bounds, are held against the entry of ``bnnsim/search/storage/best_known.yaml``,
which is replaced where they dominate more.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import yaml

from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.front.objectives import parse_objectives
from bnnsim.search.storage.best_known import DATA


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("space")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--origin", required=True)
    options = parser.parse_args()
    text = DATA.read_text(encoding="utf-8")
    entries = yaml.safe_load(text)
    entry = next(entry for entry in entries if entry["space"] == options.space)
    objectives = parse_objectives(entry["objectives"])
    rows = [
        row
        for folder in options.folders
        for row in csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines())
    ]
    losses = np.array(
        [[o.loss(float(r[o.name])) for o in objectives] for r in rows if r["feasible"] == "yes"]
    )
    losses = np.unique(losses, axis=0)
    corner = np.array([o.loss(c) for o, c in zip(objectives, entry["corner"], strict=True)])
    found = hypervolume(losses[is_on_front(losses)], corner)
    print(f"{len(rows):,} designs: {found:.10g}, {found / entry['hypervolume']:.2%} of the best known")
    if found > entry["hypervolume"]:
        entry |= {"hypervolume": float(found), "designs": len(rows), "origin": options.origin}
        head = text[: text.index("- space")]
        body = yaml.safe_dump(entries, sort_keys=False, width=100)
        DATA.write_text(head + body, encoding="utf-8")
        print(f"stored in {DATA}")


if __name__ == "__main__":
    main()
