"""The report page of a pipeline: one simulation, seen from all sides, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bnnsim.design.design import Design
from bnnsim.evaluation import Evaluation
from bnnsim.report.figures.activations import ActivationsInfo, activations_figure
from bnnsim.report.figures.answer import AnswerInfo, advice_html, answer_html, answer_info
from bnnsim.report.figures.costs import CostsInfo, costs_figure
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.report.figures.document import document
from bnnsim.report.figures.figure import Figure
from bnnsim.report.figures.numbers import numbers_figure
from bnnsim.report.streaming.bottleneck import (
    BottleneckInfo,
    bottleneck_info,
    bottleneck_sentence,
    work_figure,
)
from bnnsim.report.streaming.depths import DepthsInfo, depths_figure, depths_info
from bnnsim.report.streaming.occupancy import OccupancyInfo, occupancy_figure, occupancy_info
from bnnsim.report.streaming.pipeline import PipelineInfo, pipeline_figure, pipeline_info
from bnnsim.report.streaming.recording import RECORDED_FRAMES, record
from bnnsim.report.streaming.roofline import RooflineInfo, roofline_figure, roofline_info
from bnnsim.report.streaming.timeline import TimelineInfo, timeline_figure, timeline_info


@dataclass(frozen=True)
class Report:
    """The records behind every figure of one page."""

    evaluation: Evaluation
    answer: AnswerInfo
    bottleneck: BottleneckInfo
    pipeline: PipelineInfo
    timeline: TimelineInfo
    occupancy: OccupancyInfo
    depths: DepthsInfo
    roofline: RooflineInfo
    costs: CostsInfo
    activations: ActivationsInfo | None


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
    bottleneck = bottleneck_info(design, simulation)
    occupancy = occupancy_info(recording)
    interval = simulation.initiation_interval_cycles or bottleneck.slowest_cycles
    images = tuple(picture.uri for picture in activations.images) if activations else ()
    return Report(
        evaluation=evaluation,
        answer=answer_info(design, simulation, costs, images),
        bottleneck=bottleneck,
        pipeline=pipeline_info(design, simulation, bottleneck.limiting),
        timeline=timeline_info(recording, bottleneck.limiting, simulation.frames),
        occupancy=occupancy,
        depths=depths_info(design, simulation, occupancy),
        roofline=roofline_info(design, interval),
        costs=costs,
        activations=activations,
    )


def streaming_page(report: Report) -> str:
    """The whole page."""
    figures: list[Figure] = [
        pipeline_figure(report.pipeline),
        timeline_figure(report.timeline),
        occupancy_figure(report.occupancy),
        depths_figure(report.depths),
        work_figure(report.bottleneck),
        roofline_figure(report.roofline),
        costs_figure(report.costs),
    ]
    if report.activations is not None:
        figures.append(activations_figure(report.activations))
    figures.append(numbers_figure(report.evaluation))
    sentence = bottleneck_sentence(report.bottleneck) + advice_html(report.evaluation.advice)
    top = answer_html(report.answer, report.costs, sentence)
    simulation = report.evaluation.simulation
    rest = (
        f"<footer><p>{escape(simulation.arch)} × {escape(simulation.workload)}: "
        f"{simulation.frames} frame(s), {escape(simulation.executor)} executor; interval: "
        f"{escape(simulation.initiation_interval_basis)}. The timeline's cycles come from the SimPy "
        "executor.</p><p>As Verilog, with a bench that checks every word and cycle: <code>bnnsim rtl "
        f"{escape(simulation.arch)} {escape(simulation.workload)} --out DIR</code> (names or files)."
        "</p></footer>"
    )
    return document(f"{simulation.arch} × {simulation.workload} – bnnsim", top, figures, rest)
