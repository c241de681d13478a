"""What a first design is asked for: a network, a device, a clock, and what to make small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from bnnsim.design.network.network import Network
from bnnsim.spec.device import Device
from bnnsim.spec.faults import Fault
from bnnsim.spec.load import Loaded
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.streaming.hardware import LayerHardware, UnitDefaults, UnitLibrary
from bnnsim.spec.workload import ConcatLayer, MaxPoolLayer, Workload

FoldObjective = Literal["lut", "bram18", "power"]


@dataclass(frozen=True)
class FoldRequest:
    """A network to be folded for a device; every design that answers it is one of ``architecture``."""

    loaded: Loaded[Workload]
    network: Network
    device: Device
    clock_mhz: float
    name: str
    objective: FoldObjective = "lut"
    units: UnitLibrary = "hls"

    def architecture(
        self,
        layers: Mapping[str, LayerHardware],
        fifo_words: Mapping[str, int] | None = None,
    ) -> StreamingArchitecture:
        """The architecture with the given layers."""
        return StreamingArchitecture(
            name=self.name,
            source=f"folding of {self.network.workload.name} by bnnsim",
            style="streaming",
            device=self.device.name,
            clock_mhz=self.clock_mhz,
            defaults=UnitDefaults(units=self.units, sliding_window="rtl"),
            layers=dict(layers),
            fifo_words=dict(fifo_words or {}),
        )

    @cached_property
    def sum_bits(self) -> Mapping[str, int]:
        """Bits of the sums that a concat joins with wider ones: a stream's elements are equally wide."""
        widths: dict[str, int] = {}
        nodes = self.network.nodes

        def widen(name: str, bits: int) -> None:
            node = nodes.get(name)
            if node is None:
                return
            if isinstance(node.layer, ConcatLayer | MaxPoolLayer):
                for source in node.inputs:
                    widen(source, bits)
                return
            has_sums = node.has_matrix and getattr(node.layer, "activation", None) is None
            if has_sums and bits > node.output.type.bits:
                widths[name] = max(bits, widths.get(name, 0))

        for node in nodes.values():
            if isinstance(node.layer, ConcatLayer):
                widen(node.name, node.output.type.bits)
        return widths

    def in_the_workload(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults where the user can mend them: the architecture has no file yet."""
        source = self.loaded.source
        lines = {
            layer.name: source.line_of(("layers", i)) for i, layer in enumerate(self.loaded.spec.layers)
        }
        found = []
        for fault in faults:
            if fault.file != source.file:
                name = layer_named(fault, lines)
                fault = replace(fault, file=source.file, line=lines[name] if name else 0)
            found.append(fault)
        return found


def layer_named(fault: Fault, names: Iterable[str]) -> str | None:
    """Which layer a fault's key is about: the longest that fits, since names may hold dots."""
    named = [name for name in names if f"{fault.key}.".startswith(f"layers.{name}.")]
    return max(named, key=len, default=None)
