"""A binary network of ResNet-18's size and shape for 224x224 pixels: a streaming design, and a space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

STAGES = (64, 128, 256, 512)
BLOCKS_A_STAGE = 2
STEM_PIXELS = 112
SIZE = 56
"""Pixels a side that the first stage works on."""
BYPASS_WORDS = 100_000
"""Depth of the FIFOs that run beside a block's convolutions: more than they hold back."""


def resnet18(target_cycles: int = 401_408, pipeline: str = "flushing") -> Design:
    """The design whose matrix units each take at most ``target_cycles`` a frame.

    20 convolutions, 8 sums and a classifier of 1,000: 1.81 G MACs a frame.
    """
    sketch = _Sketch(target_cycles)
    sketch.stem()
    last, channels, size = "pool", STAGES[0], SIZE
    for out in STAGES:
        for block in range(BLOCKS_A_STAGE):
            stride = 2 if out != channels else 1
            size //= stride
            last = sketch.block(f"{STAGES.index(out)}{block}", last, channels, out, size, stride)
            channels = out
    sketch.layer("mean", "average_pool", kernel="global")
    sketch.layer("fc", "linear", out=1000)
    sketch.fold("fc", 1, 1000, channels, channels)
    return sketch.design(pipeline)


def write_space(folder: Path) -> Path:
    """A space file on that network in ``folder``: PE and SIMD of all convolutions but the stem free.

    FIFOs are sized for each design: what a shortcut must hold depends on the folding beside it.
    """
    design = resnet18()
    network = design.network.workload.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    space = design.architecture.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for hardware in space["layers"].values():
        if hardware.get("sliding_window") == "rtl":
            hardware |= {"pe": "divisors", "simd": "divisors"}
    del space["fifo_words"]
    space |= {
        "name": "resnet18-u250",
        "device": "xcu250",
        "defaults": {**space["defaults"], "fifo_words": 2},
        "explore": {
            "fifos": "sized",
            "workload": "resnet18.yaml",
            "objectives": ["throughput_fps", "power_w", "lut"],
            "constraints": ["throughput_fps>=100"],
        },
    }
    (folder / "resnet18.yaml").write_text(yaml.safe_dump(network, sort_keys=False))
    path = folder / "space.yaml"
    path.write_text(yaml.safe_dump(space, sort_keys=False))
    return path


class _Sketch:
    """Layers and their hardware in the making."""

    def __init__(self, target_cycles: int) -> None:
        self.target_cycles = target_cycles
        self.layers: list[dict[str, Any]] = []
        self.hardware: dict[str, dict[str, Any]] = {}

    def layer(self, name: str, op: str, **keys: Any) -> str:
        self.layers.append({"name": name, "op": op, **keys})
        return name

    def fold(self, name: str, pixels: int, rows: int, columns: int, channels: int) -> None:
        """The cheapest PE and SIMD, the latter dividing the channels, that meet the target."""
        _, pe, simd = min(
            ((pe * simd, abs(simd - pe)), pe, simd)
            for simd in divisors_of(channels)
            for pe in divisors_of(rows)
            if pixels * (columns // simd) * (rows // pe) <= self.target_cycles
        )
        self.hardware[name] = {"pe": pe, "simd": simd, "sliding_window": "rtl"}

    def stem(self) -> None:
        self.layer("stem", "conv", out=64, kernel=7, stride=2, pad=3, activation="bipolar")
        pe = min(p for p in divisors_of(64) if STEM_PIXELS**2 * (64 // p) <= self.target_cycles)
        self.hardware["stem"] = {"pe": pe, "simd": 147, "sliding_window": "parallel"}
        self.layer("pool", "max_pool", kernel=2)

    def block(self, tag: str, start: str, channels: int, out: int, size: int, stride: int) -> str:
        """Two convolutions beside a shortcut, their sum and its sign; the name of the last layer."""
        first, second, short = f"c{tag}a", f"c{tag}b", start
        pixels = size * size
        keys = {"out": out, "kernel": 3, "pad": 1}
        self.layer(first, "conv", inputs=[start], stride=stride, activation="bipolar", **keys)
        self.fold(first, pixels, out, 9 * channels, channels)
        self.layer(second, "conv", inputs=[first], **keys)
        self.fold(second, pixels, out, 9 * out, out)
        if stride > 1:
            short = self.layer(f"c{tag}s", "conv", inputs=[start], out=out, kernel=1, stride=stride)
            self.fold(short, pixels, out, channels, channels)
        pe = {"pe": self.hardware[second]["pe"]}
        self.hardware[self.layer(f"add{tag}", "add", inputs=[second, short])] = pe
        sign = self.layer(f"t{tag}", "threshold", activation="bipolar")
        self.hardware[sign] = pe
        return sign

    def design(self, pipeline: str) -> Design:
        workload = Workload(
            name="resnet18",
            source="the layers of ResNet-18, binarized",
            input={"shape": [3, 224, 224], "type": "uint8"},  # type: ignore[arg-type]
            layers=self.layers,  # type: ignore[arg-type]
        )
        spec: dict[str, Any] = {
            "name": "resnet18-stream",
            "source": "made for this benchmark",
            "style": "streaming",
            "device": "xczu9eg",
            "clock_mhz": 200,
            "defaults": {"units": "rtl", "pipeline": pipeline, "fifo_words": 32},
            "layers": self.hardware,
        }
        streams = build_streaming_design(StreamingArchitecture(**spec), workload).graph.streams
        deep = [
            s.name
            for s in streams
            if s.writer.endswith(".split") or ("add" in s.reader and not s.writer.startswith("c"))
        ]
        spec["fifo_words"] = dict.fromkeys(deep, BYPASS_WORDS)
        return build_streaming_design(StreamingArchitecture(**spec), workload)
