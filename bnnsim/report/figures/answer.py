"""The answer first: how fast, how large, how hungry, and what the network said."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import AdviceReport
from bnnsim.report.figures.costs import CostsInfo, budget_bars
from bnnsim.report.figures.figure import exact, number
from bnnsim.simulation import Simulation

SHOWN_PREDICTIONS = 9
"""Images at the top of the page, the first of them large."""


@dataclass(frozen=True)
class Number:
    """One headline: ``value`` exactly as the simulation has it, ``shown`` rounded for reading."""

    label: str
    value: float | int | None
    shown: str
    unit: str
    detail: str


@dataclass(frozen=True)
class Prediction:
    """What the network said of an image; ``image_uri`` is the picture, empty without one."""

    answer: str
    label: str
    is_right: bool | None
    image_uri: str


@dataclass(frozen=True)
class AnswerInfo:
    title: str
    subtitle: str
    numbers: tuple[Number, ...]
    predictions: tuple[Prediction, ...]
    accuracy: str
    bit_exact: str
    outside: tuple[str, ...] = ()
    output: str = ""
    """The layer whose scores are predicted from, where the network has several outputs."""


def answer_info(
    design: Design | EngineDesign,
    simulation: Simulation,
    costs: CostsInfo | None,
    images: tuple[str, ...] = (),
) -> AnswerInfo:
    """The record behind the top of the page."""
    interval = simulation.initiation_interval_cycles
    fps = simulation.throughput_fps
    numbers = [
        Number(
            "Throughput",
            fps,
            number(fps, 4),
            "frames/s",
            f"a frame every {number(interval)} cycles" if interval else
            simulation.initiation_interval_basis,
        ),
        Number(
            "Latency",
            simulation.latency_us,
            number(simulation.latency_us, 5),
            "µs",
            f"{number(simulation.latency_cycles)} cycles, one frame alone",
        ),
    ]
    if costs is not None and costs.power_w is not None:
        bar = costs.bars.get("power_w")
        ends = f"{number(bar.low, 3)} to {number(bar.high, 3)} W, {bar.share:.0%}; " if bar else ""
        basis = ends + costs.power_basis
        numbers.append(Number("Power", costs.power_w, number(costs.power_w, 3), "W", basis))
    if costs is not None and costs.energy_per_frame_uj is not None:
        energy = costs.energy_per_frame_uj
        numbers.append(
            Number("Energy", energy, number(energy, 3), "µJ/frame", "power over throughput")
        )
    architecture, device = design.architecture, design.device
    boards = f" ({', '.join(device.boards[:2])})" if device.boards else ""
    return AnswerInfo(
        title=f"{simulation.arch} × {simulation.workload}",
        subtitle=f"{device.part}{boards}, {architecture.clock_mhz:g} MHz, "
        f"{len(design.network.nodes)} layers, {design.network.macs:,} multiply-accumulates a frame",
        numbers=tuple(numbers),
        predictions=_predictions(simulation, images),
        accuracy=_accuracy(simulation),
        bit_exact=_bit_exact(simulation),
        outside=simulation.outside,
        output=simulation.outputs[0].name if simulation.outputs else "",
    )


def _predictions(simulation: Simulation, images: tuple[str, ...]) -> tuple[Prediction, ...]:
    """What was said of the first images."""

    def named(index: int) -> str:
        classes = simulation.classes
        return classes[index] if classes and index < len(classes) else f"class {index}"

    found = []
    for i, answer in enumerate((simulation.predictions or ())[:SHOWN_PREDICTIONS]):
        label = simulation.labels[i] if simulation.labels else None
        found.append(
            Prediction(
                named(answer),
                "" if label is None else named(label),
                None if label is None else label == answer,
                images[i] if i < len(images) else "",
            )
        )
    return tuple(found)


def _accuracy(simulation: Simulation) -> str:
    if simulation.accuracy is None or not simulation.labels:
        return ""
    count = len(simulation.labels[: simulation.images])
    right = round(simulation.accuracy * count)
    return f"{right} of {count} images right ({simulation.accuracy:.2%})"


def _bit_exact(simulation: Simulation) -> str:
    lead = "Bit exact: " if simulation.bit_exact else ""
    return lead + simulation.bit_exact_basis


def advice_html(advice: AdviceReport | None) -> str:
    """What was tried and helps, behind a sentence; nothing where nothing was asked for."""
    if advice is None:
        return ""
    return "".join(f"<br><b>Tried:</b> {escape(line)}." for line in advice.lines)


def answer_html(info: AnswerInfo, costs: CostsInfo | None, sentence: str) -> str:
    """The top of the page: headline, sentence, prediction, budget."""
    cards = "".join(
        f'<li><span class="label">{escape(n.label)}</span>'
        f'<span class="big">{exact(n.value, n.shown)} <small>{escape(n.unit)}</small></span>'
        f'<span class="muted">{escape(n.detail)}</span></li>'
        for n in info.numbers
    )
    budget = (
        f'<section class="card"><header><h2>Resources against the budget</h2>'
        '<button type="button" class="csv" data-figure="budget">Copy as CSV</button></header>'
        f'{budget_bars(costs)}'
        f"{_violations(costs)}</section>"
        if costs is not None
        else ""
    )
    return (
        f'<section id="answer"><h1>{escape(info.title)}</h1><p class="subtitle">'
        f'{escape(info.subtitle)}</p><ul class="numbers">{cards}</ul>'
        f'<p class="sentence" id="bottleneck">{sentence}</p>{_outside_html(info)}'
        f'<div class="pair">{_prediction_html(info)}{budget}</div></section>'
    )


def _outside_html(info: AnswerInfo) -> str:
    """What no figure of an engine contains."""
    if not info.outside:
        return ""
    items = "; ".join(escape(text) for text in info.outside)
    return f'<p class="note" id="outside">Outside the engine, in no figure here: {items}.</p>'


def _violations(costs: CostsInfo) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in costs.violations)
    return f'<ul class="violations">{items}</ul>' if items else ""


def _prediction_html(info: AnswerInfo) -> str:
    if not info.predictions:
        return f'<section class="card"><h2>Bits</h2><p>{escape(info.bit_exact)}.</p></section>'
    prediction, *others = info.predictions
    image = _image(prediction, "seen")
    verdict = _verdict(prediction, " right")
    strip = "".join(
        f"<li>{_image(other, 'thumb')}<span>{escape(other.answer)} {_verdict(other, '')}</span></li>"
        for other in others
    )
    strip = f'<ul class="strip" aria-label="The next images">{strip}</ul>' if strip else ""
    accuracy = f"<p>{escape(info.accuracy)}</p>" if info.accuracy else ""
    of = f" of {escape(info.output)}" if info.output else ""
    return (
        f'<section class="card prediction"><h2>Prediction{of}</h2><div>{image}<div>'
        f'<p class="big">{escape(prediction.answer)} {verdict}</p>{accuracy}'
        f'<p class="muted">{escape(info.bit_exact)}.</p></div></div>{strip}</section>'
    )


def _image(prediction: Prediction, css: str) -> str:
    if not prediction.image_uri:
        return ""
    return f'<img class="{css}" src="{prediction.image_uri}" alt="an image of the run">'


def _verdict(prediction: Prediction, right: str) -> str:
    """A mark in colour and shape: right, or what it would have been."""
    if prediction.is_right is None:
        return ""
    if prediction.is_right:
        return f'<span class="right">✓{right}</span>'
    return f'<span class="wrong">✗ it is {escape(prediction.label)}</span>'
