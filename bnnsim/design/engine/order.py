"""What comes before what in a layer's turn: loads before the work that needs them, stores after it."""

from __future__ import annotations

from collections.abc import Sequence

from bnnsim.design.engine.passing import RESULTS, Part, one_a_key, parts_of
from bnnsim.design.engine.program import LayerProgram, Op, Transfer, Work, leaves
from bnnsim.design.engine.traffic import part_key
from bnnsim.design.network.network import Network
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault
from bnnsim.spec.yaml.source import SourceText

_NEEDED = ("weights", "image", "activations")
"""Loads that the arrays wait for; a shortcut and thresholds may come later, for a stage behind them."""
_VIEWED = ("concat", "mean_pool")
"""Layers that may cost nothing of their own: whoever reads their output reads their inputs."""


def check_order(
    spec: EngineArchitecture, text: SourceText, network: Network, bodies: Sequence[LayerProgram]
) -> list[Fault]:
    """Faults of turns that work on what has not come, bring out what is not made, or do nothing."""
    faults: list[Fault] = []
    for part in parts_of(spec, bodies):
        if part.is_view:
            faults += _check_view(text, network, part)
        elif part.layers:
            faults += _check_turn(spec, text, part)
    return one_a_key(faults)


def _check_view(text: SourceText, network: Network, part: Part) -> list[Fault]:
    for name in part.layers:
        op = network.nodes[name].layer.op
        if op not in _VIEWED:
            expected = f"a stage that does {name} ({op}), or that it runs within another layer"
            return [text.fault(("programs", part.program, "steps"), expected, "overheads alone")]
    return []


def _check_turn(spec: EngineArchitecture, text: SourceText, part: Part) -> list[Fault]:
    ops = tuple(leaves(part.body.ops))
    working = [i for i, op in enumerate(ops) if _is_work(op, "compute")]
    working = working or [i for i, op in enumerate(ops) if _is_work(op, "stage")]
    if not working:
        return []
    key = part_key(spec, part.body)
    faults = []
    for payload in _NEEDED:
        loads = [i for i, op in enumerate(ops) if _moves(op, "load", (payload,))]
        if loads and loads[0] > working[0]:
            faults.append(
                text.fault(key, f"a load of {payload} before {part.name} is computed", "one after it")
            )
    stores = [i for i, op in enumerate(ops) if _moves(op, "store", RESULTS)]
    if stores and stores[-1] < working[-1]:
        faults.append(text.fault(key, f"a store after {part.name} is computed", "one before it"))
    return faults


def _is_work(op: Op, kind: str) -> bool:
    return isinstance(op, Work) and op.kind == kind


def _moves(op: Op, direction: str, payloads: Sequence[str]) -> bool:
    return isinstance(op, Transfer) and op.direction == direction and op.payload in payloads
