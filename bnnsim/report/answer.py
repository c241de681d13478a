"""The answer first: how fast, how large, how hungry, and what the network said."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bnnsim.design.build import Design
from bnnsim.report.costs import CostsInfo, budget_bars
from bnnsim.report.figure import exact, number
from bnnsim.simulation import Simulation


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
    """What the network said of the first image; ``image_uri`` is the picture, empty without one."""

    answer: str
    label: str
    is_right: bool | None
    image_uri: str


@dataclass(frozen=True)
class AnswerInfo:
    title: str
    subtitle: str
    numbers: tuple[Number, ...]
    prediction: Prediction | None
    accuracy: str
    bit_exact: str


def answer_info(
    design: Design, simulation: Simulation, costs: CostsInfo, image_uri: str = ""
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
    if costs.power_w is not None:
        basis = costs.power_basis
        numbers.append(Number("Power", costs.power_w, number(costs.power_w, 3), "W", basis))
    if costs.energy_per_frame_uj is not None:
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
        prediction=_prediction(simulation, image_uri),
        accuracy=_accuracy(simulation),
        bit_exact=_bit_exact(simulation),
    )


def _prediction(simulation: Simulation, image_uri: str) -> Prediction | None:
    if not simulation.predictions:
        return None

    def named(index: int) -> str:
        classes = simulation.classes
        return classes[index] if classes and index < len(classes) else f"class {index}"

    label = simulation.labels[0] if simulation.labels else None
    first = simulation.predictions[0]
    return Prediction(
        named(first),
        "" if label is None else named(label),
        None if label is None else label == first,
        image_uri,
    )


def _accuracy(simulation: Simulation) -> str:
    if simulation.accuracy is None or not simulation.labels:
        return ""
    count = len(simulation.labels)
    right = round(simulation.accuracy * count)
    return f"{right} of {count} images right ({simulation.accuracy:.2%})"


def _bit_exact(simulation: Simulation) -> str:
    lead = "Bit exact: " if simulation.bit_exact else ""
    return lead + simulation.bit_exact_basis


def answer_html(info: AnswerInfo, costs: CostsInfo, sentence: str) -> str:
    """The top of the page: headline, sentence, prediction, budget."""
    cards = "".join(
        f'<li><span class="label">{escape(n.label)}</span>'
        f'<span class="big">{exact(n.value, n.shown)} <small>{escape(n.unit)}</small></span>'
        f'<span class="muted">{escape(n.detail)}</span></li>'
        for n in info.numbers
    )
    budget = (
        f'<section class="card"><h2>Resources against the budget</h2>{budget_bars(costs)}'
        f"{_violations(costs)}</section>"
    )
    return (
        f'<section id="answer"><h1>{escape(info.title)}</h1><p class="subtitle">'
        f'{escape(info.subtitle)}</p><ul class="numbers">{cards}</ul>'
        f'<p class="sentence" id="bottleneck">{sentence}</p>'
        f'<div class="pair">{_prediction_html(info)}{budget}</div></section>'
    )


def _violations(costs: CostsInfo) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in costs.violations)
    return f'<ul class="violations">{items}</ul>' if items else ""


def _prediction_html(info: AnswerInfo) -> str:
    prediction = info.prediction
    if prediction is None:
        return f'<section class="card"><h2>Bits</h2><p>{escape(info.bit_exact)}.</p></section>'
    image = (
        f'<img class="seen" src="{prediction.image_uri}" alt="the first image">'
        if prediction.image_uri
        else ""
    )
    verdict = ""
    if prediction.is_right is not None:
        mark = "✓ right" if prediction.is_right else f"✗ it is {escape(prediction.label)}"
        verdict = f'<span class="{"right" if prediction.is_right else "wrong"}">{mark}</span>'
    accuracy = f"<p>{escape(info.accuracy)}</p>" if info.accuracy else ""
    return (
        f'<section class="card prediction"><h2>Prediction</h2><div>{image}<div>'
        f'<p class="big">{escape(prediction.answer)} {verdict}</p>{accuracy}'
        f'<p class="muted">{escape(info.bit_exact)}.</p></div></div></section>'
    )
