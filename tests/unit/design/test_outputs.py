"""A network with several outputs: what workloads say of them, sinks of pipelines, stores of engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bnnsim.cli.app import run
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_design, build_engine_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.engine.memory_map import memory_map
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import Executor
from bnnsim.search.template.spec import Sizes, engine_data
from bnnsim.search.template.spill import spill_to_fit
from bnnsim.simulation import RunOptions, Stimulus, simulate_design, stimulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_device, load_workload
from tests.designs import HEADS_ARCHITECTURE, HEADS_WORKLOAD


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "arch.yaml").write_text(HEADS_ARCHITECTURE)
    (tmp_path / "heads.yaml").write_text(HEADS_WORKLOAD)
    return tmp_path / "arch.yaml", tmp_path / "heads.yaml"


def built(files: tuple[Path, Path]) -> Design:
    design = build_design(load_architecture(files[0]), load_workload(files[1]))
    assert isinstance(design, Design)
    return design


def test_each_output_has_a_sink_behind_the_split_of_a_layer_that_is_read_on(files) -> None:
    graph = built(files).graph
    assert [sink.name for sink in graph.sinks] == ["classes.sink", "boxes.sink", "body.sink"]
    assert [graph.stream_by_name[sink.inputs[0]].writer for sink in graph.sinks] == [
        "classes.mvau",
        "boxes.mvau",
        "body.split",
    ]
    assert len(graph.unit_by_name["body.split"].outputs) == 3


def puts_out_every_output(found, right) -> None:
    assert found.bit_exact
    assert [one.name for one in found.outputs] == ["classes", "boxes", "body"]
    assert [one.shape for one in found.outputs] == [(5, 1, 1), (4, 6, 6), (8, 6, 6)]
    assert found.scores == found.outputs[0].scores
    for one in found.outputs:
        assert np.array_equal(right.scores_of(one.name), one.scores)


def test_every_output_is_simulated_and_equals_the_functional_executor(files) -> None:
    design = built(files)
    options = RunOptions(frames=2, weights_seed=5)
    stimulus = stimulate(design, None, options)
    assert isinstance(stimulus, Stimulus)
    executor = Executor(design.network, stimulus.parameters)
    right = executor.run(stimulus.frames, keep_outputs=False)
    assert set(right.outputs) == set(design.network.outputs)
    found = simulate_design(design, stimulus, options)
    puts_out_every_output(found, right)
    for one in found.outputs:
        assert {-1, 1} == set(np.unique(one.scores)) or one.name != "body"


def test_every_sink_has_a_dma_of_its_own(files) -> None:
    by_name = estimate_resources(built(files)).by_name
    classes, boxes = (by_name[f"{name}.sink"] for name in ("classes", "boxes"))
    assert [part.name for part in classes.parts] == [part.name for part in boxes.parts]
    assert min(classes.parts[0].amounts.lut_logic, boxes.parts[0].amounts.lut_logic) > 900


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (None, r"layers.boxes: expected one layer that no other reads .*, got boxes, classes"),
        (
            ["classes"],
            r"layers.boxes: expected a layer that another reads, or one of the outputs, got boxes",
        ),
        (
            ["classes", "boxs", "boxes"],
            r"outputs\[1\]: expected the name of a layer, got 'boxs' \(nearest: boxes",
        ),
        (
            ["classes", "boxes", "classes"],
            r"outputs\[2\]: expected a name not used before, got 'classes'",
        ),
        (["classes", "boxes", "input"], r"outputs\[2\]: expected the name of a layer, got 'input'"),
        ([], r"outputs: expected"),
    ],
)
def test_a_wrong_list_of_outputs_is_refused_by_name(files, outputs, message) -> None:
    data = yaml.safe_load(HEADS_WORKLOAD) | {"outputs": outputs}
    if outputs is None:
        del data["outputs"]
    files[1].write_text(yaml.safe_dump(data))
    with pytest.raises(SpecError, match=message):
        built(files)


def engine(files: tuple[Path, Path], **change: Any) -> EngineDesign:
    """A first engine for the network, all maps on chip."""
    network = resolve_network(load_workload(files[1]).spec)
    kept = spill_to_fit(network, 1 << 40)
    assert kept is not None
    part = load_device("xczu3eg").spec
    data = engine_data(network, part, "output-stationary", Sizes(4, 8), 100.0, "heads-engine", kept)
    data |= change
    return build_engine_design(EngineArchitecture.model_validate(data), load_workload(files[1]))


def test_an_engine_puts_out_every_output_and_each_has_room_of_its_own(files) -> None:
    design = engine(files)
    options = RunOptions(frames=2, weights_seed=5)
    stimulus = stimulate(design, None, options)
    assert isinstance(stimulus, Stimulus)
    right = Executor(design.network, stimulus.parameters).run(stimulus.frames, keep_outputs=False)
    found = simulate_design(design, stimulus, options)
    puts_out_every_output(found, right)
    places = memory_map(design.architecture, design.network, design.program).places
    results = {one.name: one.bits for one in places if one.content == "results"}
    bits = {name: design.network.tensor(name).type.bits for name in ("classes", "boxes")}
    assert results == {
        "classes": -(-5 * bits["classes"] // 8) * 8,
        "boxes": -(-4 * 36 * bits["boxes"] // 8) * 8,
        "body": 8 * 36,
    }


def test_an_output_that_an_engine_never_stores_is_refused_by_name(files) -> None:
    stored = engine(files).architecture.frame.after[0]
    fewer = stored.model_copy(update={"words": stored.words - 1}).model_dump(exclude_defaults=True)
    with pytest.raises(SpecError, match=r"stores of all results of body, boxes, classes, \d+ bits"):
        engine(files, frame={"before": engine(files).architecture.frame.before, "after": [fewer]})


def test_an_output_within_a_streaming_prefix_is_refused_by_name(files) -> None:
    prefix = {"until": "body", "layers": {"stem": {"pe": 4, "simd": 3}, "body": {"pe": 2, "simd": 4}}}
    with pytest.raises(SpecError, match=r"streaming_prefix.until: .*got body is an output"):
        engine(files, streaming_prefix=prefix)


def test_the_page_says_which_output_is_predicted_from_and_which_layers_are_outputs(files) -> None:
    page = files[0].parent / "page.html"
    assert run(["report", str(files[0]), str(files[1]), "--weights-seed", "1", "--out", str(page)]) == 0
    text = page.read_text()
    assert "<h2>Prediction of classes</h2>" in text
    assert "<h3>Scores of classes, the first output" in text
    assert text.count("conv, output, ") == 2 and text.count("linear, output, ") == 1
    assert 'data-unit="boxes.sink"' in text


def test_the_terminal_names_the_outputs_and_says_what_predictions_are_of(files, capsys) -> None:
    assert run(["simulate", str(files[0]), str(files[1]), "--weights-seed", "1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "outputs classes (5 x 1 x 1), boxes (4 x 6 x 6), body (8 x 6 x 6)" in said
    assert "predictions are of classes" in said
