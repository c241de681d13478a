"""Advice for a design of either kind."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.cost.clock import estimate_clock, fastest_proven_mhz
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.advice.engine import engine_advice
from bnnsim.evaluation.advice.record import AdviceReport
from bnnsim.evaluation.advice.streaming import pipeline_advice
from bnnsim.evaluation.advice.trials import WORTHWHILE, Change, Trials
from bnnsim.evaluation.record import Evaluation


def advise(design: Design | EngineDesign) -> AdviceReport:
    """What makes a design faster, found by trying: each advice was built, timed and costed.

    Some dozen other designs are looked at, none is kept. Empty where the interval is not proven.
    """
    trials = Trials(design)
    base = trials.time(design)
    if base is None:
        return trials.report(())
    of_kind = engine_advice if isinstance(design, EngineDesign) else pipeline_advice
    advice = list(of_kind(trials, base))
    estimate = int(estimate_clock(design).achievable_mhz)
    proven = fastest_proven_mhz(design.device)
    clock = min(estimate, proven)
    if clock > design.architecture.clock_mhz * WORTHWHILE:
        change = Change(("clock_mhz",), design.architecture.clock_mhz, float(clock))
        built = trials.build(design, [change])
        tried = None if built is None else trials.time(built, [change])
        if tried is not None and tried.fps >= WORTHWHILE * base.fps:
            note = (
                f" (the model estimates {estimate} MHz without placement, and published accelerators "
                f"have run at {proven} on such devices; memories are taken to keep up)"
            )
            advice.append(trials.advice(base, tried, [change], note))
    advice.sort(key=lambda one: bool(one.exceeds))
    return trials.report(advice)


def with_advice(design: Design | EngineDesign, evaluation: Evaluation) -> Evaluation:
    """An evaluation of ``design`` with what would make it faster."""
    return replace(evaluation, advice=advise(design))
