"""The report page: one simulation, seen from all sides, in one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bnnsim.design.design import Design
from bnnsim.evaluation.evaluate import Evaluation, evaluate
from bnnsim.report.engine.page import engine_html
from bnnsim.report.figures.activations import ActivationsInfo, activations_figure
from bnnsim.report.figures.answer import AnswerInfo, answer_html, answer_info
from bnnsim.report.figures.costs import CostsInfo, costs_figure
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.report.figures.document import document
from bnnsim.report.figures.figure import Figure
from bnnsim.report.figures.first_frames import first_frames
from bnnsim.report.figures.numbers import numbers_figure
from bnnsim.report.streaming.occupancy import OccupancyInfo, occupancy_figure, occupancy_info
from bnnsim.report.streaming.pace import PaceInfo, pace_figure, pace_info, pace_sentence
from bnnsim.report.streaming.pipeline import PipelineInfo, pipeline_figure, pipeline_info
from bnnsim.report.streaming.recording import RECORDED_FRAMES, record
from bnnsim.report.streaming.roofline import RooflineInfo, roofline_figure, roofline_info
from bnnsim.report.streaming.timeline import TimelineInfo, timeline_figure, timeline_info
from bnnsim.simulation import load_design
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import Loaded, read_architecture

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """The records behind every figure of one page."""

    evaluation: Evaluation
    answer: AnswerInfo
    pace: PaceInfo
    pipeline: PipelineInfo
    timeline: TimelineInfo
    occupancy: OccupancyInfo
    roofline: RooflineInfo
    costs: CostsInfo
    activations: ActivationsInfo | None


def report_html(
    architecture: str | Path,
    workload: str | Path,
    *,
    images: Sequence[str | Path] | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    progress: Progress | None = None,
) -> str:
    """The page of a streaming accelerator or of an engine; parameters and errors as ``simulate``'s."""
    loaded = read_architecture(architecture)
    if isinstance(loaded.spec, EngineArchitecture):
        return engine_html(
            loaded,
            workload,
            images=images,
            frames=frames,
            timing_only=timing_only,
            weights_seed=weights_seed,
            progress=progress,
        )
    report = build_report(
        loaded,
        workload,
        images=images,
        frames=frames,
        timing_only=timing_only,
        weights_seed=weights_seed,
        progress=progress,
    )
    return page_html(report)


def build_report(
    architecture: str | Path | Loaded[Architecture],
    workload: str | Path,
    *,
    images: Sequence[str | Path] | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Evaluate as :func:`bnnsim.evaluation.evaluate.evaluate` does, record the first frames, and gather.

    Raises what ``evaluate`` raises.
    """
    evaluation = evaluate(
        architecture,
        workload,
        images=images,
        frames=frames,
        timing_only=timing_only,
        weights_seed=weights_seed,
        progress=progress,
    )
    design, folder = load_design(architecture, workload)
    activations = None
    if evaluation.simulation.bit_exact:
        activations = first_frames(design.network, folder, evaluation.simulation, images, weights_seed)
    return gather(design, evaluation, activations, frames)


def gather(
    design: Design,
    evaluation: Evaluation,
    activations: ActivationsInfo | None = None,
    frames: int | None = None,
) -> Report:
    """All records of one page from an evaluated design.

    ``frames`` are those the user asked for, None where the choice was left open: then the timeline
    shows more than one even of a run of one.
    """
    simulation = evaluation.simulation
    shown = RECORDED_FRAMES if frames is None else min(frames, RECORDED_FRAMES)
    recording = record(design, shown)
    costs = costs_info(evaluation)
    pace = pace_info(design, simulation)
    interval = simulation.initiation_interval_cycles or pace.slowest_cycles
    images = tuple(picture.uri for picture in activations.images) if activations else ()
    return Report(
        evaluation=evaluation,
        answer=answer_info(design, simulation, costs, images),
        pace=pace,
        pipeline=pipeline_info(design, simulation, pace.limiting),
        timeline=timeline_info(recording, pace.limiting, simulation.frames),
        occupancy=occupancy_info(recording),
        roofline=roofline_info(design, interval),
        costs=costs,
        activations=activations,
    )


def page_html(report: Report) -> str:
    """The whole page."""
    figures: list[Figure] = [
        pipeline_figure(report.pipeline),
        timeline_figure(report.timeline),
        occupancy_figure(report.occupancy),
        pace_figure(report.pace),
        roofline_figure(report.roofline),
        costs_figure(report.costs),
    ]
    if report.activations is not None:
        figures.append(activations_figure(report.activations))
    figures.append(numbers_figure(report.evaluation.simulation, report.evaluation))
    top = answer_html(report.answer, report.costs, pace_sentence(report.pace))
    simulation = report.evaluation.simulation
    rest = (
        f"<footer><p>{escape(simulation.arch)} × {escape(simulation.workload)}: "
        f"{simulation.frames} frame(s), {escape(simulation.executor)} executor; interval: "
        f"{escape(simulation.initiation_interval_basis)}. The timeline's cycles come from the SimPy "
        "executor.</p></footer>"
    )
    return document(f"{simulation.arch} × {simulation.workload} – bnnsim", top, figures, rest)
