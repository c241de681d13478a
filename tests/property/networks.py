"""Random small networks on random streaming architectures: every kind of unit a design can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing

ACTIVATIONS = ("bipolar", "uint2")
WINDOWS = ("row_buffer", "no_overlap", "full_frame_coupled", "rtl", "parallel")


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


@dataclass
class _Sketch:
    """Layers and their hardware in the making; ``shape`` and ``type`` are those of the last layer."""

    draw: st.DrawFn
    shape: tuple[int, int, int]
    type: str
    last: str = "input"
    layers: list[dict[str, Any]] = field(default_factory=list)
    hardware: dict[str, dict[str, Any]] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def layer(self, op: str, inputs: list[str] | None = None, **keys: Any) -> str:
        name = f"{op}{len(self.layers)}"
        self.layers.append({"name": name, "op": op, "inputs": inputs or [self.last], **keys})
        self.last = name
        return name

    def options(self) -> dict[str, Any]:
        """What any layer's hardware may say, or leave to the defaults."""
        hardware: dict[str, Any] = {}
        if self.draw(st.booleans()):
            hardware["pipeline"] = self.one_of("freezing", "flushing")
            hardware["units"] = self.one_of("hls", "rtl")
        if self.draw(st.booleans()):
            hardware["out_fifo_words"] = self.draw(st.integers(1, 8))
        return hardware

    def folded(
        self, name: str, rows: int, columns: int | None = None, groups: int = 1, block: int = 1
    ) -> None:
        """Hardware with a PE that divides the rows and a SIMD that divides the columns, or with several
        groups of ``block`` channels side by side."""
        hardware = {**self.options(), "pe": self.one_of(*_divisors(rows))}
        if groups > 1 and columns and self.draw(st.booleans()):
            lanes = self.one_of(*_divisors(groups)[1:])
            simd = block * self.one_of(*_divisors(columns // block))
            self.hardware[name] = {**hardware, "pe": rows * lanes, "simd": simd}
            self.hardware[name]["sliding_window"] = self.one_of(*WINDOWS)
            return
        if columns is not None:
            # A low fold keeps the clock loop short.
            hardware["simd"] = self.one_of(*_divisors(columns)[-3:])
            hardware["sliding_window"] = self.one_of(*WINDOWS)
        self.hardware[name] = hardware

    def weighted(self, op: str, columns: int, ends_as: str | None, **keys: Any) -> None:
        """A weighted layer whose output has the type ``ends_as``, or any."""
        activation = self.one_of(ends_as or self.one_of(*ACTIVATIONS), None)
        weight = self.one_of("bipolar", "int2")
        name = self.layer(op, weight=weight, activation=activation, **keys)
        groups = keys.get("groups", 1)
        self.folded(name, keys["out"] // groups, columns, groups, self.shape[0] // groups)
        if activation is None:
            self.threshold(keys["out"], ends_as)
        else:
            self.type = activation

    def threshold(self, channels: int, ends_as: str | None = None) -> None:
        activation = ends_as or self.one_of(*ACTIVATIONS)
        name = self.layer("threshold", activation=activation)
        self.folded(name, channels)
        self.hardware[name]["deep_pipeline"] = self.draw(st.booleans())
        self.type = activation

    def conv(self, keeps_size: bool = False, out: int | None = None, ends_as: str | None = None) -> None:
        channels, height, width = self.shape
        kernel = self.one_of(1, 3) if keeps_size else self.one_of(1, 2, 3)
        dilation = 1 if keeps_size else self.one_of(1, 1, 1, 2)
        pad = kernel // 2 if keeps_size else self.one_of(0, 1)
        stride = 1 if keeps_size else self.one_of(1, 1, 2)
        reach = (kernel - 1) * dilation + 1
        if reach > min(height, width) + 2 * pad:
            kernel = reach = dilation = 1
        out = out or self.one_of(2, 4)
        groups = self.one_of(1, 1, 1, 2, channels) if channels % 2 == 0 and out % channels == 0 else 1
        self.weighted(
            "conv",
            channels // groups * kernel * kernel,
            ends_as,
            out=out,
            kernel=kernel,
            stride=stride,
            dilation=dilation,
            groups=groups,
            pad=pad,
        )
        sizes = [(extent + 2 * pad - reach) // stride + 1 for extent in (height, width)]
        self.shape = (out, sizes[0], sizes[1])

    def pool(self) -> None:
        """Side by side in twos, or any window, stride and border."""
        channels, height, width = self.shape
        of_bits = ("average_pool",) if self.type == "bipolar" else ()
        op = self.one_of("max_pool", "sum_pool", *of_bits)
        if self.draw(st.booleans()) and height % 2 == width % 2 == 0:
            self.pooled(op, (channels, height // 2, width // 2), kernel=2)
            return
        kernel = [self.one_of(*range(1, min(3, extent) + 1)) for extent in (height, width)]
        stride = [self.one_of(k, 1, 2) for k in kernel]
        pad = [0] * 4 if op == "average_pool" else [self.one_of(*range(k)) for k in kernel * 2]
        sizes = [
            (extent + pad[i] + pad[i + 2] - kernel[i]) // stride[i] + 1
            for i, extent in enumerate((height, width))
        ]
        border = {} if op == "average_pool" else {"pad": pad}
        self.pooled(op, (channels, sizes[0], sizes[1]), kernel=kernel, stride=stride, **border)

    def pooled(self, op: str, shape: tuple[int, int, int], **keys: Any) -> None:
        name = self.layer(op, **keys)
        self.hardware[name] = self.options()
        if self.draw(st.booleans()):
            self.hardware[name]["pe"] = self.one_of(*_divisors(shape[0]))
        if self.draw(st.booleans()):
            self.hardware[name]["pool"] = self.one_of("line_buffered", "streaming")
        self.hardware[name]["sliding_window"] = self.one_of(*WINDOWS)
        self.shape = shape
        if op == "sum_pool":
            self.threshold(shape[0])
        if op == "mean_pool":
            self.type = str(keys.get("type", "fixed16.7"))

    def global_pool(self) -> None:
        of_bits = ("average_pool",) if self.type == "bipolar" else ()
        op = self.one_of("sum_pool", "max_pool", "mean_pool", *of_bits)
        word = {}
        if op == "mean_pool":
            word = {"type": self.one_of("fixed16.7", "int4", "fixed6.1")}
            word["rounding"] = self.one_of("truncate", "half_up")
        self.pooled(op, (self.shape[0], 1, 1), kernel="global", **word)

    def branch(self) -> None:
        """A convolution beside another or beside a shortcut, joined by add, multiply or concat."""
        root, shape, kind = self.last, self.shape, self.type
        join = self.one_of("add", "concat", "concat", "multiply")
        joined = self.one_of(*ACTIVATIONS) if join == "concat" else None
        self.conv(keeps_size=True, out=shape[0], ends_as=joined)
        first = self.last
        self.last, self.shape, self.type = root, shape, kind
        if joined not in (None, kind) or self.draw(st.booleans()):
            self.conv(keeps_size=True, out=shape[0], ends_as=joined)
        name = self.layer(join, [first, self.last])
        self.hardware[name] = self.options()
        if self.draw(st.booleans()):
            self.hardware[name]["pe"] = self.one_of(*_divisors(shape[0]))
        if join == "concat":
            self.shape = (2 * shape[0], *shape[1:])
        else:
            self.threshold(shape[0])

    def repeat(self) -> None:
        """Pixels again and again, or zeros between them; or the only channel."""
        channels, height, width = self.shape
        factor = [self.one_of(1, 1, 2, 3), self.one_of(1, 2)]
        keys: dict[str, Any] = {"factor": factor, "fill": self.one_of("nearest", "nearest", "zero")}
        sides = [0] * 4
        if keys["fill"] == "nearest":
            sides = [self.one_of(0, 0, 1, 2) for _ in range(4)]
            keys["channels"] = self.one_of(1, 2, 6) if channels == 1 else 1
            keys["border"] = sides
        elif self.type == "bipolar":
            self.type = "int2"
        name = self.layer("repeat", **keys)
        zeros = keys["fill"] == "zero"
        sizes = [
            (n - 1) * k + 1 if zeros else n * k + sides[i] + sides[i + 2]
            for i, (n, k) in enumerate(zip((height, width), factor, strict=True))
        ]
        self.shape = (channels * keys.get("channels", 1), sizes[0], sizes[1])
        self._any_lanes(name)

    def _any_lanes(self, name: str) -> None:
        self.hardware[name] = self.options()
        if self.draw(st.booleans()):
            self.hardware[name]["pe"] = self.one_of(*_divisors(self.shape[0]))

    def gate(self) -> None:
        """A map times what one of its channels, positions or the whole of it says."""
        self.conv()
        root, (channels, height, width) = self.last, self.shape
        self.hardware[root]["out_fifo_words"] = channels * height * width
        per = self.one_of("channel", "position")
        if per == "channel":
            self.pooled("sum_pool", (channels, 1, 1), kernel="global")
            self.layer("repeat", factor=[height, width])
        else:
            self.conv(keeps_size=True, out=1)
            self.layer("repeat", channels=channels)
        self.shape = (channels, height, width)
        self.layer("multiply", [root, self.last])
        self.threshold(channels)

    def matmul(self) -> None:
        """Pixels of a map times those of another, now and then weighing those of a third; behind FIFOs of
        a frame."""
        root, shape, kind = self.last, self.shape, self.type
        out, heads = self.one_of(2, 4), self.one_of(1, 2)
        maps = []
        for _ in range(self.one_of(2, 3)):
            self.last, self.shape, self.type = root, shape, kind
            self.conv(keeps_size=True, out=out)
            self.hardware[self.last]["out_fifo_words"] = out * shape[1] * shape[2]
            maps.append(self.last)
        pixels = shape[1] * shape[2]
        name = self.layer("matmul", maps[:2], transposed=True, heads=heads)
        self._streamed(name, pixels, out // heads)
        self.shape = (heads * pixels, *shape[1:])
        self.threshold(heads * pixels)
        if len(maps) > 2:
            name = self.layer("matmul", [self.last, maps[2]], heads=heads)
            self._streamed(name, out // heads, pixels)
            self.shape = (out, *shape[1:])
            self.threshold(out)

    def _streamed(self, name: str, rows: int, columns: int) -> None:
        self.folded(name, rows, columns)
        del self.hardware[name]["sliding_window"]
        self.hardware[name]["weight_frames"] = self.one_of(1, 2)

    def lookup(self) -> None:
        """A function in a table, behind which a threshold makes bits again."""
        kind = self.one_of("int6", "fixed8.3", "uint4")
        keys = {"low": self.one_of(-9, -2, 0), "shift_bits": self.one_of(0, 1, 3), "segments": 5}
        name = self.layer("lookup", type=kind, **keys)
        self.folded(name, self.shape[0])
        self.threshold(self.shape[0])

    def head(self) -> None:
        """An output of its own beside the rest of the network."""
        root, shape, kind = self.last, self.shape, self.type
        self.one_of(_Sketch.conv, _Sketch.linear)(self)
        self.heads.append(self.last)
        self.last, self.shape, self.type = root, shape, kind

    def outputs(self) -> list[str] | None:
        """The end, the heads, now and then a layer that others read; None for the end alone."""
        found = [self.last, *self.heads]
        if self.draw(st.booleans()):
            found.append(self.one_of(*(layer["name"] for layer in self.layers)))
        found = self.draw(st.permutations(list(dict.fromkeys(found))))
        return found if len(found) > 1 else None

    def linear(self) -> None:
        channels, height, width = self.shape
        out = self.one_of(2, 4)
        self.weighted("linear", channels * height * width, None, out=out)
        self.shape = (out, 1, 1)

    def labels(self) -> None:
        """The answer in place of the scores."""
        self.linear()
        scores, k = self.shape[0], self.one_of(1, 2)
        name = self.layer("top_k", k=k)
        self.folded(name, scores)
        self.shape = (k, 1, 1)


_PIECES = (
    *(_Sketch.conv, _Sketch.conv, _Sketch.pool, _Sketch.branch, _Sketch.branch, _Sketch.head),
    *(_Sketch.repeat, _Sketch.gate, _Sketch.lookup, _Sketch.matmul),
)
_ENDS = (_Sketch.linear, _Sketch.linear, _Sketch.labels, _Sketch.global_pool, _Sketch.pool)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """A workload of up to three pieces and an end, on an architecture with any folding that fits."""
    side = st.sampled_from([3, 4, 4, 5, 6, 6])
    shape = (draw(st.sampled_from([1, 2, 4])), draw(side), draw(side))
    sketch = _Sketch(draw, shape, draw(st.sampled_from([*ACTIVATIONS, "fixed8.7"])))
    frame = {"shape": list(shape), "type": sketch.type}
    if sketch.type == "fixed8.7":
        sketch.conv()
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(_PIECES))(sketch)
    draw(st.sampled_from(_ENDS))(sketch)
    if sketch.last == "input":
        sketch.linear()
    layers = {"layers": sketch.layers, "outputs": sketch.outputs()}
    workload = Workload.model_validate({"name": "random", "input": frame, **layers})
    defaults = {
        "units": draw(st.sampled_from(["hls", "rtl"])),
        "pipeline": draw(st.sampled_from(["freezing", "flushing"])),
        "fifo_words": draw(st.integers(1, 6)),
        "converters": draw(st.sampled_from([None, "hls", "rtl"])),
        "restart_steps": draw(st.sampled_from([0, 0, 1, 7])),
    }
    return _build(workload, sketch.hardware, defaults, draw(frame_ends()))


@st.composite
def frame_ends(draw: st.DrawFn) -> dict[str, Any]:
    """A source that reads in bursts, a sink that is not always ready; mostly the usual ones."""
    burst = {"burst_frames": 4, "burst_start_steps": draw(st.integers(1, 30))}
    slow = {
        "steps_a_word": draw(st.integers(1, 4)),
        "inter_frame_gap_steps": draw(st.integers(0, 9)),
    }
    return {
        "frame_source": draw(st.sampled_from([{}, {}, burst])),
        "frame_sink": draw(st.sampled_from([{}, {}, slow])),
    }


def design_graphs() -> st.SearchStrategy[TimingGraph]:
    """The timing graphs of :func:`designs`."""
    return designs().map(lambda design: build_timing(design.graph))


def _build(
    workload: Workload,
    hardware: dict[str, Any],
    defaults: dict[str, Any],
    ends: dict[str, Any] | None = None,
) -> Design:
    """The design; a convolution that its window unit cannot walk gets an RTL window instead."""
    while True:
        architecture = StreamingArchitecture.model_validate(
            {
                "name": "random",
                "source": "drawn at random",
                "style": "streaming",
                "device": "xc7z020",
                "clock_mhz": 100,
                "defaults": defaults,
                "layers": hardware,
                **(ends or {}),
            }
        )
        try:
            return build_streaming_design(architecture, workload)
        except SpecError as error:
            stuck = [
                name
                for name, options in hardware.items()
                if options.get("sliding_window") in ("row_buffer", "full_frame_coupled")
                and any(fault.key == f"layers.{name}.sliding_window" for fault in error.faults)
            ]
            if not stuck or len(stuck) < len(error.faults):
                raise
            for name in stuck:
                hardware[name]["sliding_window"] = "rtl"
