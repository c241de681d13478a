"""Which class a frame's scores say, where they are scores of classes."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Network


def class_predictions(network: Network, scores: Integers) -> tuple[int, ...] | None:
    """The class with the highest score, a frame; the first of equals.

    ``scores``: the first output's, ``(n, elements)``. Scores behind the last named class (hardware's
    spare rows) do not count. Positions that leave in place of scores begin with the class. None where the
    output is a map: no pixel of it is a class.
    """
    if network.tensor(network.output).pixels > 1:
        return None
    if network.puts_out_labels:
        return tuple(int(row[0]) for row in scores)
    classes = network.workload.classes
    named = scores[:, : len(classes)] if classes else scores
    return tuple(int(best) for best in np.argmax(named, axis=1))
