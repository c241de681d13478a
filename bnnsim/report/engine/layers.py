"""An engine's frame, layer by layer: where the cycles of each layer's turn go."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bnnsim.report.figures.figure import Figure, csv_text, exact
from bnnsim.simulation import Simulation

CAUSES = {
    "compute_cycles": "compute",
    "stage_cycles": "stages in sequence",
    "weight_load_cycles": "weight load",
    "activation_load_cycles": "activation load",
    "activation_store_cycles": "activation store",
    "host_cycles": "host",
    "weight_stall_cycles": "waiting for weights",
    "activation_stall_cycles": "waiting for maps in",
    "store_stall_cycles": "waiting for stores",
    "overhead_cycles": "overhead",
}

@dataclass(frozen=True)
class LayerTurn:
    """One layer's turn; ``cycles`` in the order of ``CAUSES``, a mean over the frames."""

    layer: str
    array: str
    cycles: tuple[float, ...]

    @property
    def total_cycles(self) -> float:
        return sum(self.cycles)


@dataclass(frozen=True)
class EngineLayersInfo:
    """All turns of a frame in their order."""

    turns: tuple[LayerTurn, ...]

    @property
    def total_cycles(self) -> float:
        return sum(turn.total_cycles for turn in self.turns)

    @property
    def by_cause(self) -> dict[str, float]:
        """Cycles of a frame by cause."""
        columns = zip(*(turn.cycles for turn in self.turns), strict=True)
        return dict(zip(CAUSES, map(sum, columns), strict=True))


def engine_layers_info(simulation: Simulation) -> EngineLayersInfo:
    """The record behind figure and sentence."""
    frames = simulation.counted_frames
    return EngineLayersInfo(
        tuple(
            LayerTurn(
                layer.name,
                layer.array,
                tuple(_share(getattr(layer, cause), frames) for cause in CAUSES),
            )
            for layer in simulation.layers
        )
    )


def _share(cycles: int, frames: int) -> float:
    """Whole cycles where the frames are all alike."""
    return cycles // frames if cycles % frames == 0 else cycles / frames


def engine_sentence(info: EngineLayersInfo) -> str:
    """The longest turn and its largest cause, as HTML."""
    longest = max(info.turns, key=lambda turn: turn.total_cycles)
    cause = max(zip(CAUSES, longest.cycles, strict=True), key=lambda item: item[1])
    share = longest.total_cycles / info.total_cycles
    largest = max(info.by_cause.items(), key=lambda item: item[1])
    return (
        f"<b>{escape(longest.layer)}</b> takes longest: {exact(longest.total_cycles)} cycles, "
        f"{share:.0%} of a frame's work, {cause[1] / longest.total_cycles:.0%} of them "
        f"{CAUSES[cause[0]]}. Over all layers {CAUSES[largest[0]]} is the largest part, "
        f"{largest[1] / info.total_cycles:.0%}."
    )


def engine_layers_figure(info: EngineLayersInfo) -> Figure:
    """A stacked bar a layer, in the order of their turns."""
    longest = max(turn.total_cycles for turn in info.turns)
    rows = "".join(_row(turn, longest) for turn in info.turns)
    present = [i for i, cycles in enumerate(info.by_cause.values()) if cycles]
    legend = "".join(
        f'<li><span class="swatch cause{i}"></span>{text}</li>'
        for i, text in enumerate(CAUSES.values())
        if i in present
    )
    csv = csv_text(
        ("layer", "array", *CAUSES), [(turn.layer, turn.array, *turn.cycles) for turn in info.turns]
    )
    note = (
        "The layers take their turns from top to bottom. Cycles a frame; transfers that run beside "
        "an array cost nothing here, waiting for them does."
    )
    body = (
        '<div class="controls" role="group" aria-label="Scale">'
        '<button type="button" data-do="shares" aria-pressed="false">Shares of each layer [%]</button>'
        f'</div><ul class="legend">{legend}</ul><ul class="bars turns">{rows}</ul>'
    )
    return Figure("layers", "Layers in turn [cycles]", note, body, csv, script="engineLayers")


def _row(turn: LayerTurn, longest: float) -> str:
    parts = "".join(
        f'<b class="cause{i}" style="flex-grow:{cycles:g}" title="{text}: {cycles:,.0f} cycles"></b>'
        for i, (text, cycles) in enumerate(zip(CAUSES.values(), turn.cycles, strict=True))
        if cycles
    )
    spoken = ", ".join(
        f"{text} {cycles:,.0f}"
        for text, cycles in zip(CAUSES.values(), turn.cycles, strict=True)
        if cycles
    )
    array = f" <small class='muted'>{escape(turn.array)}</small>" if turn.array else ""
    return (
        f"<li><span>{escape(turn.layer)}{array}</span>"
        f'<span class="stack" role="img" aria-label="{spoken} cycles" '
        f'style="--share:{100 * turn.total_cycles / longest:.2f}%">{parts}</span>'
        f"{exact(turn.total_cycles)}</li>"
    )
