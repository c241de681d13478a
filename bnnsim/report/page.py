"""The report page of a design of either kind, from one evaluation."""

from __future__ import annotations

from pathlib import Path

from bnnsim.design.design import EngineDesign
from bnnsim.evaluation import evaluate_design, with_advice
from bnnsim.report.engine.page import engine_page
from bnnsim.report.figures.first_frames import first_frames
from bnnsim.report.streaming.page import gather, streaming_page
from bnnsim.simulation import RunOptions, load_design, stimulate


def report_html(architecture: str | Path, workload: str | Path, options: RunOptions) -> str:
    """The page of a pipeline or of an engine. Raises what :func:`bnnsim.evaluate` raises."""
    design, folder = load_design(architecture, workload)
    stimulus = stimulate(design, folder, options)
    evaluation = evaluate_design(design, stimulus, options)
    evaluation = with_advice(design, evaluation)
    activations = first_frames(stimulus, evaluation.simulation)
    if isinstance(design, EngineDesign):
        return engine_page(design, evaluation, activations)
    return streaming_page(gather(design, evaluation, activations, options.frames))
