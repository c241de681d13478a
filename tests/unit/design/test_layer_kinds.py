"""Every kind of layer on a pipeline and on an engine: bit for bit, or refused as the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from bnnsim.simulation import simulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Layer, Workload

PAGE = Path(__file__).resolve().parents[3] / "arch_specs" / "README.md"
KINDS = [get_args(model.model_fields["op"].annotation)[0] for model in get_args(get_args(Layer)[0])]
FIXED = {"name": "bn", "op": "affine", "type": "fixed16.7"}
LAYERS: dict[str, list[dict[str, Any]]] = {
    "conv": [{"name": "x", "op": "conv", "out": 4, "kernel": 3, "groups": 2, "activation": "bipolar"}],
    "gated_conv": [FIXED, {"name": "x", "op": "gated_conv", "out": 4, "kernel": 3, "pad": 1,
                           "inputs": ["bn", "bn"]}],
    "linear": [{"name": "x", "op": "linear", "out": 3}],
    "fixed_linear": [FIXED, {"name": "p", "op": "mean_pool", "kernel": "global"},
                     {"name": "x", "op": "fixed_linear", "out": 3}],
    "affine": [{**FIXED, "name": "x"}],
    "prelu": [FIXED, {"name": "x", "op": "prelu"}],
    "mean_pool": [FIXED, {"name": "x", "op": "mean_pool", "kernel": 2}],
    "sum_pool": [{"name": "x", "op": "sum_pool", "kernel": 3, "stride": 2, "pad": 1}],
    "threshold": [{"name": "x", "op": "threshold", "activation": "uint2"}],
    "max_pool": [{"name": "x", "op": "max_pool", "kernel": 3, "stride": 2, "pad": 1}],
    "average_pool": [{"name": "t", "op": "threshold", "activation": "bipolar"},
                     {"name": "x", "op": "average_pool", "kernel": 2}],
    "add": [{"name": "t", "op": "threshold", "activation": "bipolar"},
            {"name": "c", "op": "conv", "out": 4, "kernel": 1},
            {"name": "x", "op": "add", "inputs": ["stem", "c"]}],
    "multiply": [{"name": "t", "op": "threshold", "activation": "bipolar"},
                 {"name": "c", "op": "conv", "out": 4, "kernel": 1},
                 {"name": "x", "op": "multiply", "inputs": ["stem", "c"]}],
    "matmul": [{"name": "keys", "op": "conv", "out": 6, "kernel": 1, "activation": "bipolar"},
               {"name": "values", "op": "conv", "out": 2, "kernel": 1, "inputs": ["keys"]},
               {"name": "scores", "op": "matmul", "heads": 2, "transposed": True,
                "inputs": ["values", "values"]},
               {"name": "x", "op": "matmul", "heads": 2, "inputs": ["scores", "keys"]}],
    "repeat": [{"name": "x", "op": "repeat", "factor": 2}],
    "top_k": [{"name": "x", "op": "top_k", "k": 3}],
    "lookup": [{"name": "x", "op": "lookup", "type": "fixed8.3", "low": -4, "shift_bits": 1,
                "segments": 4}],
    "concat": [{"name": "c", "op": "conv", "out": 2, "kernel": 1},
               {"name": "x", "op": "concat", "inputs": ["stem", "c"]}],
}  # fmt: skip
ALL = [
    {"dimension": d}
    for d in ("planes", "out_channels", "in_channels", "kernel_rows", "kernel_columns", "rows", "columns")
]
PROGRAMS = {
    "matrix": {"array": "pes", "steps": [{"op": "compute", "loops": ALL}]},
    "stage": {"steps": [{"op": "stage", "unit": "rest", "loops": [{"dimension": "pixels"}]}]},
}
MATRIX = ("conv", "gated_conv", "linear", "fixed_linear")


def network(kind: str) -> Workload:
    stem = {"name": "stem", "op": "conv", "out": 4, "kernel": 1}
    layers = [stem, *LAYERS[kind]]
    shape = [2, 6, 6]
    return Workload.model_validate({"name": kind, "input": {"shape": shape}, "layers": layers})


def pipeline(workload: Workload) -> StreamingArchitecture:
    matrices = (*MATRIX, "matmul")
    folded = (*matrices, "threshold", "affine", "prelu", "lookup", "top_k")
    layers = {
        layer.name: {"pe": 1, "simd": 1} if layer.op in matrices else {"pe": 1}
        for layer in workload.layers
        if layer.op in folded
    }
    deep = {"fifo_words": 512}
    spec = {"name": "p", "source": "made for this test", "style": "streaming", "device": "xc7z020"}
    data = {**spec, "clock_mhz": 100, "defaults": deep, "layers": layers}
    return StreamingArchitecture.model_validate(data)


def engine(workload: Workload) -> EngineArchitecture:
    layers = {
        layer.name: {"program": "matrix" if layer.op in MATRIX else "stage"} for layer in workload.layers
    }
    outside = [
        {"payload": payload, "source": "not what this test is about"}
        for payload in ("image", "weights", "activations", "results")
    ]
    spec = {"name": "e", "source": "made for this test", "style": "engine", "device": "xc7z020"}
    arrays = {"pes": {"supported_ops": list(MATRIX), "spatial_unrolling": {}}}
    data = {
        **spec,
        "clock_mhz": 100,
        "arrays": arrays,
        "stages": {"rest": {}},
        "programs": PROGRAMS,
        "outside": outside,
        "layers": layers,
    }
    return EngineArchitecture.model_validate(data)


def page_rows() -> dict[str, list[str]]:
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \| (yes|no) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return {kind: answers for kind, *answers in rows}


def test_the_page_has_every_kind_of_layer() -> None:
    assert sorted(page_rows()) == sorted(KINDS) == sorted(LAYERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_layer_runs_where_the_page_says(kind: str) -> None:
    workload = network(kind)
    scores = []
    for architecture, runs in zip((pipeline(workload), engine(workload)), page_rows()[kind], strict=True):
        if runs == "no":
            with pytest.raises(
                SpecError, match=f"expected a layer that a streaming unit runs .* got {kind}"
            ):
                simulate(architecture, workload, frames=2, weights_seed=3)
            continue
        simulation = simulate(architecture, workload, frames=2, weights_seed=3)
        assert simulation.bit_exact
        scores.append(simulation.scores)
    assert all(one == scores[0] for one in scores)


def test_levels_worth_integers_run_on_both_styles() -> None:
    """Sums, pools, borders of true zeros, and thresholds of other types behind them."""
    layers = [
        {"name": "a", "op": "conv", "out": 4, "kernel": 1, "activation": "residual3.6"},
        {"name": "pool", "op": "max_pool", "kernel": 2},
        {"name": "b", "op": "conv", "out": 4, "kernel": 3, "pad": 1, "pad_value": 0,
         "activation": "residual2.9"},
        {"name": "c", "op": "linear", "out": 6, "activation": "uint2"},
        {"name": "d", "op": "linear", "out": 5, "weight": "int4"},
    ]  # fmt: skip
    frame = {"shape": [2, 6, 6], "type": "int4"}
    workload = Workload.model_validate({"name": "n", "input": frame, "layers": layers})
    runs = [
        simulate(architecture, workload, frames=2, weights_seed=3)
        for architecture in (pipeline(workload), engine(workload))
    ]
    assert [run.bit_exact for run in runs] == [True, True]
    assert runs[0].scores == runs[1].scores


def test_a_network_that_ends_in_top_k_predicts_what_its_scores_say() -> None:
    """Of equal scores the first; there are more classes than places."""
    layers = [{"name": "scores", "op": "linear", "out": 6}]
    runs = []
    for more in ([], [{"name": "best", "op": "top_k", "k": 2}]):
        workload = Workload.model_validate(
            {"name": "n", "input": {"shape": [8], "type": "bipolar"}, "layers": [*layers, *more]}
        )
        for architecture in (pipeline(workload), engine(workload)):
            runs.append(simulate(architecture, workload, frames=6, weights_seed=3))
    assert len({run.predictions for run in runs}) == 1
    assert runs[2].scores is not None and {len(row) for row in runs[2].scores} == {2}
    assert runs[2].scores == runs[3].scores
