"""A network with several outputs: what a workload may say of them, and a sink for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from bnnsim.cli.app import run
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_design
from bnnsim.design.design import Design
from bnnsim.functional.executor import Executor
from bnnsim.simulation import RunOptions, Stimulus, simulate_design, stimulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import load_architecture, load_workload
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


def test_every_output_is_simulated_and_equals_the_functional_executor(files) -> None:
    design = built(files)
    options = RunOptions(frames=2, weights_seed=5)
    stimulus = stimulate(design, None, options)
    assert isinstance(stimulus, Stimulus)
    executor = Executor(design.network, stimulus.parameters)
    right = executor.run(stimulus.frames, keep_outputs=False)
    assert set(right.outputs) == set(design.network.outputs)
    found = simulate_design(design, stimulus, options)
    assert found.bit_exact
    assert [one.name for one in found.outputs] == ["classes", "boxes", "body"]
    assert [one.shape for one in found.outputs] == [(5, 1, 1), (4, 6, 6), (8, 6, 6)]
    assert found.scores == found.outputs[0].scores
    for one in found.outputs:
        assert np.array_equal(right.scores_of(one.name), one.scores)
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


def test_an_engine_refuses_several_outputs_by_name(files) -> None:
    with pytest.raises(SpecError, match=r"style: expected streaming for .* \(classes, boxes, body\)"):
        build_design(load_architecture("acce-bnn"), load_workload(files[1]))


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
