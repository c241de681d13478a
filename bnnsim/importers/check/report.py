"""What a check found: a verdict for every output, and what every layer did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bnnsim.files.schema_version import versioned

Verdict = Literal["equal", "flips", "undecided", "wrong"]
GRAVE: tuple[Verdict, ...] = ("wrong", "undecided", "flips", "equal")
"""Gravest first."""
Place = tuple[int, int, int, int]
"""Input, channel, row, column."""
MOST_ALLOWED = 0.01
"""The share of the scores' span above which an allowance says nothing."""


@dataclass(frozen=True)
class Flips:
    """Values of a quantiser that differ though the model's real number is next to its step."""

    count: int = 0
    """How many flipped"""
    zeros: int = 0
    """How many more were exactly 0 in front of a plain Sign, which the import reads as +1"""
    farthest: float = 0.0
    """How far from the step the model's real number was at most, for those that flipped"""
    bound: float = 0.0
    """How far it may be by what the import states"""
    first: Place | None = None
    """Input, channel, row and column of the first; null where none flipped"""


@dataclass(frozen=True)
class LayerCheck:
    """One layer against the model's tensor of the same numbers."""

    layer: str
    """The workload's layer"""
    tensor: str
    """The model's tensor (of a Keras model the layer, and which part of it)"""
    elements: int
    """Elements compared"""
    allowed: float
    """How far they may be off, in the model's real numbers: what is stated and float32's last bits"""
    differing: int
    """How many were further off and did not flip"""
    worst: float
    """How far off one was at most, flips left out"""
    first: tuple[int, int, int, int, int, int] | None
    """Input, channel, row, column, the integer expected and the one found; null where none differs"""
    flips: Flips
    """Signs (or levels) that differ within the stated bound"""


@dataclass(frozen=True)
class OutputCheck:
    """One of the model's declared outputs against the scores of a layer of the workload."""

    output: str
    """The output's name in the model"""
    layer: str
    """The workload's layer with its scores; empty where there is none"""
    tensor: str
    """The model's tensor that is compared: the output, or the scores that its Softmax or ArgMax reads"""
    verdicts: tuple[Verdict, ...]
    """For each input: equal, flips, undecided or wrong"""
    worst: float
    """How far a score was off at most, in the model's real numbers, the flipped bits taken as they are"""
    allowed: float
    """How far it may be off: what the import states and the last bits of float32"""
    span: float
    """The largest minus the smallest of the model's scores over all inputs"""
    first: tuple[float, float, float, float] | None
    """Input, position, score expected and found of the first further off; null where there is none"""
    equal_predictions: int | None
    """Inputs whose highest score is of the same class; null for maps"""
    reason: str = ""
    """Why no score could be compared; empty where all were"""

    @property
    def verdict(self) -> Verdict:
        """The gravest of all inputs."""
        return _gravest(self.verdicts)

    @property
    def allowed_percent(self) -> float:
        """The allowance in percent of the span."""
        return 100 * self.allowed / self.span if self.span else 0.0


@dataclass(frozen=True)
class Distance:
    """How far an output lies from the model's own, whose real weights the import has rounded."""

    output: str
    """The output's name in the model"""
    worst: float
    """How far a score was off at most, in the model's real numbers"""
    mean: float
    """How far on average"""
    span: float
    """The largest minus the smallest of the model's own scores over all inputs"""
    equal_predictions: int | None
    """Inputs whose highest score is of the same class; null for maps"""

    def line(self, inputs: int) -> str:
        """As a user reads it."""
        share = [100 * one / self.span if self.span else 0.0 for one in (self.mean, self.worst)]
        text = (
            f"{self.output}: {self.mean:.3g} on average ({share[0]:.2g} % of the scores' span), "
            f"{self.worst:.3g} at most ({share[1]:.2g} %)"
        )
        if self.equal_predictions is not None:
            text += f", {self.equal_predictions:,} of {inputs:,} predictions equal"
        return text


@dataclass(frozen=True)
class CheckReport:
    """A model and a workload that was imported from it, run on the same inputs."""

    model: str
    """The model's file"""
    workload: str
    """The workload's name"""
    inputs: int
    """How many inputs both ran on"""
    outputs: tuple[OutputCheck, ...]
    """Every output that the model declares, in its order"""
    layers: tuple[LayerCheck, ...]
    """Every layer whose numbers the model has too, in the network's order"""
    left_out: tuple[str, ...] = ()
    """Outputs that the import was told to leave out; nothing is said of them"""
    distances: tuple[Distance, ...] = ()
    """How far outputs lie from the model's own where its real weights were rounded (--real-layers)"""
    from_own_values: bool = False
    """Whether the model went on with the workload's values behind layers in fixed point: where the bounds
    of a deep network add up to more than decides, each layer is held against its own"""

    @property
    def verdict(self) -> Verdict:
        """The gravest of all outputs; wrong too where a layer differs."""
        if self.first_difference is not None:
            return "wrong"
        return _gravest({output.verdict for output in self.outputs})

    @property
    def first_difference(self) -> LayerCheck | None:
        """The first layer that differs by more than flips, None where there is none."""
        return next((layer for layer in self.layers if layer.differing), None)

    @property
    def is_equal(self) -> bool:
        """Whether every output equals the model's on every input, without a flip."""
        return self.verdict == "equal"

    @property
    def equal_predictions(self) -> int:
        """Inputs with the same highest class, of the first output that has classes; else 0."""
        found = (o.equal_predictions for o in self.outputs if o.equal_predictions is not None)
        return next(found, 0)

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        data = asdict(self)
        for entry, output in zip(data["outputs"], self.outputs, strict=True):
            entry |= {"verdict": output.verdict, "allowed_percent": output.allowed_percent}
        verdicts = {"verdict": self.verdict, "equal_predictions": self.equal_predictions}
        return versioned({**data, **verdicts})

    def __str__(self) -> str:
        lines = [f"{self.verdict.upper()}: {self.workload} against {self.model}: {self._summary}"]
        lines += [_output_line(output, self.inputs) for output in self.outputs]
        if self.from_own_values:
            lines.append(
                "layers    in fixed point: each within its own bound from the workload's values in front "
                "of it; all bounds together decide nothing"
            )
        lines += [f"output    {name}: left out by the import (--output)" for name in self.left_out]
        lines += [f"distance  of {one.line(self.inputs)}" for one in self.distances]
        found = self.first_difference
        if found is not None and found.first is not None:
            frame, channel, row, column, expected, got = found.first
            lines.append(
                f"first difference in layer {found.layer} (tensor {found.tensor}): "
                f"{found.differing:,} of {found.elements:,} elements, first in input {frame}, channel "
                f"{channel}, row {row}, column {column}: expected {expected}, got {got}"
            )
        lines += [line for layer in self.layers for line in _flip_lines(layer)]
        return "\n".join(lines)

    @property
    def _summary(self) -> str:
        same = sum(not layer.differing and not layer.flips.count for layer in self.layers)
        if self.is_equal:
            layers, word = f"all {len(self.layers)} layers equal", "equal"
        else:
            layers, word = f"{same} of {len(self.layers)} layers without a difference", "the same"
        text = f"{self.inputs:,} inputs, {layers}"
        if any(output.equal_predictions is not None for output in self.outputs):
            text += f", {self.equal_predictions:,} of {self.inputs:,} predictions {word}"
        return text


def _gravest(verdicts: Collection[Verdict]) -> Verdict:
    return next((one for one in GRAVE if one in verdicts), "equal")


def _output_line(output: OutputCheck, inputs: int) -> str:
    start = f"output    {output.output}: {output.verdict}"
    if output.reason:
        return f"{start}, {output.reason}"
    counts = {
        "equal": "equal",
        "flips": "with sign flips within the bound",
        "undecided": "undecided",
        "wrong": "wrong",
    }
    found = [f"{output.verdicts.count(k):,} {v}" for k, v in counts.items() if k in output.verdicts]
    text = (
        f"{start}, of {inputs:,} inputs {', '.join(found)}; off by at most {output.worst:.3g}, allowed "
        f"{output.allowed:.3g} ({output.allowed_percent:.2g} % of the scores' span of {output.span:.6g})"
    )
    if output.verdict == "undecided":
        text += (
            "; an allowance above 1 % decides nothing: import with more bits behind the point (--fixed "
            "fixed32.16; the file says what saturates then). Where values reach too far for that, no "
            "word of 32 bits decides it: batch norms need the statistics of the network's data"
        )
    if output.first is not None:
        frame, element, expected, got = output.first
        text += f"; first in input {frame}, score {element}: expected {expected:.9g}, got {got:.9g}"
    return text


def _flip_lines(layer: LayerCheck) -> list[str]:
    flips, lines = layer.flips, []
    if flips.zeros:
        lines.append(
            f"zeros     {flips.zeros:,} in front of the Sign {layer.tensor} read as +1, "
            "as the import says"
        )
    if flips.count and flips.first is not None:
        frame, channel, row, column = flips.first
        lines.append(
            f"flips     {flips.count:,} of {layer.elements:,} in layer {layer.layer} "
            f"(tensor {layer.tensor}): the model's real number lies at most {flips.farthest:.3g} "
            f"from the step, {flips.bound:.3g} is stated; first in input {frame}, channel {channel}, "
            f"row {row}, column {column}"
        )
    return lines
