"""Faults planted in the hardware library and in a design's top: what the bench must report.

Each is one change of text in one file of a project. ``design`` names the small design that it is planted
in; ``stream`` begins the name of the stream in which the bench must see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

WORKLOAD: dict[str, Any] = {
    "name": "every-kind",
    "input": {"shape": [4, 6, 6], "type": "bipolar"},
    "layers": [
        {"name": "border", "op": "conv", "out": 8, "kernel": 3, "pad": 1, "activation": "bipolar"},
        {"name": "pool", "op": "max_pool", "kernel": 2},
        {"name": "left", "op": "conv", "out": 4, "kernel": 1, "inputs": ["pool"]},
        {"name": "right", "op": "conv", "out": 4, "kernel": 1, "inputs": ["pool"]},
        {"name": "sum", "op": "add", "inputs": ["left", "right"]},
        {"name": "sign", "op": "threshold", "activation": "bipolar"},
        {"name": "both", "op": "concat", "inputs": ["sign", "pool"]},
        {"name": "most", "op": "average_pool", "kernel": "global"},
        {"name": "scores", "op": "linear", "out": 6},
        {"name": "scaled", "op": "affine", "type": "int4"},
    ],
}
HARDWARE: dict[str, Any] = {
    "border": {"pe": 2, "simd": 4},
    "left": {"pe": 1, "simd": 2},
    "right": {"pe": 1, "simd": 2},
    "sign": {"pe": 2},
    "scores": {"pe": 1, "simd": 4},
    "scaled": {"pe": 1},
}
RESIDUAL: dict[str, Any] = {
    "name": "levels",
    "input": {"shape": [2, 6, 6], "type": "fixed8.7"},
    "layers": [
        {"name": "a", "op": "conv", "out": 4, "kernel": 3, "activation": "residual2"},
        {"name": "pool", "op": "max_pool", "kernel": 2},
        {"name": "b", "op": "linear", "out": 4},
    ],
}
INTEGER_LEVELS: dict[str, Any] = {
    "name": "integer-levels",
    "input": {"shape": [2, 6, 6], "type": "int4"},
    "layers": [
        {"name": "a", "op": "conv", "out": 4, "kernel": 3, "activation": "residual2.7"},
        {"name": "b", "op": "conv", "out": 4, "kernel": 3, "pad": 1, "pad_value": 0,
         "activation": "residual3.5"},
        {"name": "c", "op": "linear", "out": 4},
    ],
}  # fmt: skip
GATES: dict[str, Any] = {
    "name": "gates",
    "input": {"shape": [2, 4, 4], "type": "fixed8.7"},
    "layers": [
        {"name": "map", "op": "conv", "out": 4, "kernel": 1},
        {"name": "sums", "op": "sum_pool", "kernel": "global"},
        {"name": "gate", "op": "lookup", "type": "fixed8.3", "low": -40, "shift_bits": 4, "segments": 5},
        {"name": "over", "op": "repeat", "factor": [4, 4]},
        {"name": "gated", "op": "multiply", "inputs": ["map", "over"]},
        {"name": "larger", "op": "repeat", "factor": 2},
        {"name": "sign", "op": "threshold", "activation": "bipolar"},
        {"name": "scores", "op": "conv", "out": 2, "kernel": 2},
        {"name": "best", "op": "top_k", "k": 2},
    ],
}
ATTENTION: dict[str, Any] = {
    "name": "attention",
    "input": {"shape": [4, 6, 1], "type": "bipolar"},
    "layers": [
        {"name": "queries", "op": "conv", "out": 4, "kernel": 1, "activation": "bipolar"},
        {"name": "keys", "op": "conv", "out": 4, "kernel": 1, "activation": "bipolar",
         "inputs": ["input"]},
        {"name": "scores", "op": "matmul", "transposed": True, "inputs": ["queries", "keys"]},
        {"name": "chosen", "op": "threshold", "activation": "uint2"},
        {"name": "mixed", "op": "matmul", "inputs": ["chosen", "keys"]},
    ],
}  # fmt: skip


def small_design(name: str) -> Design:
    """The design that a fault is planted in: ``freezing`` or ``flushing`` and a window, ``levels``,
    ``integer levels``, ``gates`` or ``attention``."""
    pipeline, _, window = name.partition(" ")
    if pipeline == "gates":
        layers = {"map": {"pe": 1, "simd": 2}, "scores": {"pe": 1, "simd": 4}}
        layers |= {"gate": {"pe": 1}, "sign": {"pe": 1}, "best": {"pe": 1}}
        return _built(GATES, layers, {"fifo_words": 4}, {"map.split->gated.multiply": 80})
    if pipeline == "attention":
        layers = {name: {"pe": 2, "simd": 2} for name in ("queries", "keys", "scores", "mixed")}
        layers["scores"]["weight_frames"] = 1
        return _built(ATTENTION, {**layers, "chosen": {"pe": 2}}, {"fifo_words": 40})
    if pipeline == "integer":
        layers = {"a": {"pe": 2, "simd": 6}, "b": {"pe": 2, "simd": 4}, "c": {"pe": 1, "simd": 8}}
        return _built(INTEGER_LEVELS, layers, {"fifo_words": 66})
    if pipeline == "levels":
        layers = {"a": {"pe": 2, "simd": 6}, "b": {"pe": 1, "simd": 8}}
        return _built(RESIDUAL, layers, {"fifo_words": 4})
    defaults = {"fifo_words": 66, "pipeline": pipeline, "sliding_window": window or "row_buffer"}
    return _built(WORKLOAD, HARDWARE, defaults, {"pool.split->left.narrow": 1})


def _built(
    workload: dict[str, Any],
    layers: dict[str, Any],
    defaults: dict[str, Any],
    fifo_words: dict[str, int] | None = None,
) -> Design:
    architecture = {
        "name": "small",
        "source": "made for this test",
        "style": "streaming",
        "device": "xc7z020",
        "clock_mhz": 100,
        "defaults": defaults,
        "layers": layers,
        "fifo_words": fifo_words or {},
    }
    return build_streaming_design(
        StreamingArchitecture.model_validate(architecture), Workload.model_validate(workload)
    )


@dataclass(frozen=True)
class Fault:
    """``old`` becomes ``new`` in ``file`` of ``design``'s ``rtl/``, everywhere or behind ``after``."""

    what: str
    design: str
    file: str
    old: str
    new: str
    after: str = ""

    def plant(self, rtl: Path) -> None:
        """Change the file. Raises AssertionError where the text to change is not there."""
        path = rtl / self.file
        text = path.read_text(encoding="utf-8")
        head, mark, rest = text.partition(self.after) if self.after else ("", "", text)
        assert self.old in rest, f"{self.what}: {self.old} is not in {self.file}"
        rest = rest.replace(self.old, self.new, 1 if self.after else -1)
        path.write_text(head + mark + rest, encoding="utf-8")


FAULTS = (
    Fault("rows and columns mixed up", "attention", "top.v", ".BY_ROWS(1)", ".BY_ROWS(0)"),
    Fault(
        "weights taken before the last have left",
        "attention",
        "weight_buffer.v",
        "& !(held & held_last & held_of == writes_to)",
        "",
    ),
    Fault("a pixel more", "attention", "weight_buffer.v", "COUNT(PIXELS)", "COUNT(PIXELS + 1)"),
    Fault(
        "the other frame's weights",
        "attention",
        "weight_buffer.v",
        "if (FRAMES == 2 & read & is_last) reads_from <= !reads_from;",
        "",
    ),
    Fault("no weights", "attention", "mvau.v", "word <= in_data[WORD", "word <= 0 & in_data[WORD"),
    Fault(
        "an MVAU without its vector ahead",
        "attention",
        "mvau.v",
        "if (WEIGHTS_STREAM != 0 & NEURON_FOLD > 1) begin",
        "if (1'b0) begin",
    ),
    Fault(
        "a product that takes a map's element twice",
        "gates",
        "multiply.v",
        "whole = a * b",
        "whole = a * a",
    ),
    Fault(
        "a product of a stage less",
        "gates",
        "top.v",
        ".PIPELINE_DEPTH(3)",
        ".PIPELINE_DEPTH(1)",
        "// gated",
    ),
    Fault(
        "a curve without its way through a piece",
        "gates",
        "lookup_lane.v",
        "begun + risen",
        "begun + 0 * risen",
    ),
    Fault(
        "a table that is not held at its end", "gates", "lookup_lane.v", "above ? MOST :", "1'b0 ? MOST :"
    ),
    Fault("rows that come once more", "gates", "repeat_map.v", "row_times - 1'b1", "row_times"),
    Fault("a row kept a word off", "gates", "repeat_map.v", "first + WORDS_IN[KEPT_BITS-1:0]", "first"),
    Fault("of equals the later", "gates", "label_select.v", "score > old_score", "score >= old_score"),
    Fault("a pause a step shorter", "gates", "top.v", ".PAUSE(3)", ".PAUSE(2)"),
    Fault("a FIFO one deeper", "levels", "top.v", ".DEPTH_WORDS(4)", ".DEPTH_WORDS(5)"),
    Fault("a FIFO one shallower", "levels", "top.v", ".DEPTH_WORDS(4)", ".DEPTH_WORDS(3)"),
    Fault(
        "a FIFO without its bypass", "freezing", "fifo.v", "passes <= write &", "passes <= 1'b0 & write &"
    ),
    Fault(
        "an MVAU of a stage more",
        "flushing",
        "top.v",
        ".PIPELINE_DEPTH(6)",
        ".PIPELINE_DEPTH(7)",
        "// scores.mvau",
    ),
    Fault(
        "a freezing pipeline that flushes", "freezing", "top.v", ".FREEZES(1)", ".FREEZES(0)", "// pool"
    ),
    Fault(
        "a flushing pipeline that freezes", "flushing", "top.v", ".FREEZES(0)", ".FREEZES(1)", "// pool"
    ),
    Fault("> for >=", "flushing", "threshold_levels.v", ">=", ">"),
    Fault("the sum of a fold goes on in the next", "flushing", "mvau.v", "is_first[2] ?", "1'b0 ?"),
    Fault(
        "weights of the fold before", "flushing", "mvau.v", "address == LAST_WORD", "address == LAST_NF"
    ),
    Fault("a pool idles a step less", "flushing", "top.v", ".IDLE_STEPS(3)", ".IDLE_STEPS(2)"),
    Fault("a window idles a step more", "freezing", "top.v", ".IDLE_STEPS(8)", ".IDLE_STEPS(9)"),
    Fault("a source pauses a step less", "flushing", "top.v", ".GAP_STEPS(20)", ".GAP_STEPS(19)"),
    Fault(
        "a lap that wraps late",
        "flushing",
        "window_row_buffer.v",
        "LAP_LAST     = LAP - 1",
        "LAP_LAST     = LAP",
    ),
    Fault(
        "a row buffer two words too small",
        "flushing",
        "window_buffer.v",
        "BUFFER_WORDS - 1",
        "BUFFER_WORDS - 3",
    ),
    Fault("an elastic window a cycle early", "flushing rtl", "window_elastic.v", "< shown", "< taken"),
    Fault(
        "an elastic window that frees a place early",
        "flushing rtl",
        "window_elastic.v",
        "wire [COUNT_BITS:0] kept = RING_WORDS[COUNT_BITS:0]",
        "wire [COUNT_BITS:0] kept = RING_WORDS[COUNT_BITS:0] + 1'b1",
    ),
    Fault(
        "a coupled window shows the frame before",
        "freezing full_frame_coupled",
        "window_coupled_frames.v",
        "upper ? address",
        "!upper ? address",
    ),
    Fault("a line buffer a word short", "flushing parallel", "word_delay.v", "WORDS - 1", "WORDS - 2"),
    Fault(
        "a parallel window without its gap",
        "flushing parallel",
        "top.v",
        ".GAP_STEPS(1)",
        ".GAP_STEPS(0)",
    ),
    Fault(
        "a whole frame's windows read over again",
        "flushing no_overlap",
        "window_whole_frame.v",
        "writes ? !writes_last",
        "writes ? writes_last",
    ),
    Fault("a border of ones", "flushing", "top.v", ".BORDER_ELEMENT(0)", ".BORDER_ELEMENT(1)"),
    Fault("a border on the wrong side", "flushing", "top.v", ".BORDER_LEFT(1)", ".BORDER_LEFT(0)"),
    Fault(
        "padding without its word ahead",
        "freezing",
        "queue.v",
        "assign in_ready  = !full",
        "assign in_ready  = out_ready & !full",
    ),
    Fault(
        "outputs that do not wait for each other",
        "freezing",
        "pipeline_control.v",
        "(OUTPUTS == 1 | all_ready)",
        "1'b1",
    ),
    Fault(
        "lanes swapped",
        "flushing",
        "width_converter.v",
        "exit[place*PIECE +: PIECE]",
        "exit[(RATIO - 1 - place)*PIECE +: PIECE]",
    ),
    Fault(
        "inputs swapped",
        "flushing",
        "concat.v",
        "(first_element(i) + channel)",
        "(first_element(INPUTS) - 1 - first_element(i) - channel)",
    ),
    Fault("an adder without signs", "flushing", "top.v", ".INPUT_SIGNED(2'h3)", ".INPUT_SIGNED(2'h0)"),
    Fault("a majority of all", "flushing", "top.v", ".MAJORITY(5)", ".MAJORITY(9)"),
    Fault("halves are rounded down", "flushing", "scale_lane.v", "RIGHT > 0 ? {{", "RIGHT > 99 ? {{"),
    Fault(
        "a bias left out", "flushing", "scale_lane.v", "rounded + (bias_long", "rounded + 0 * (bias_long"
    ),
    Fault(
        "levels in the wrong order",
        "levels",
        "level_converter.v",
        "rests[level]",
        "rests[LAST - level]",
        "reg [REST-1:0] rests",
    ),
    Fault("a level that never loses", "levels", "pool_lanes.v", "(earlier & ~pixel_won)", "earlier"),
    Fault("a sum that forgets", "integer levels", "level_pe.v", "= begins ?", "= uses ?"),
    Fault("the lower bit first", "integer levels", "level_pe.v", "left[MADE_BITS-1]", "left[0]"),
    Fault("a mean added twice", "levels", "residual_pe.v", "fires ? now - out_mean", "fires ? now"),
    Fault(
        "a run that ends a frame early",
        "levels",
        "frame_counter.v",
        "frames_left == {FRAME_BITS{1'b0}}",
        "frames_left <= 32'd1",
    ),
)
