"""Files that MXNet wrote of BMXNet's layers, held against what MXNet computed.

tools/models/export_mxnet.py wrote them with mxnet 1.9.1: floats as they were trained, and weights packed
in 64-bit words. The scores are of 1,000 frames a model.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.executor import Executor
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.functional.parameters.parameters import load_parameters
from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.importers.mxnet.file import read_parameters
from bnnsim.reference.mxnet_model import read_mxnet_model
from bnnsim.spec.faults import SpecError

FOLDER = Path(__file__).parent / "mxnet"
PRODUCTS = 256


def _frames() -> np.ndarray:
    """The frames that the tool ran the models on."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (1000, 2, 2, 3)).repeat(5, axis=1).repeat(5, axis=2)
    noisy = coarse + rng.integers(-60, 61, coarse.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("name", ["trained", "packed"])
def test_a_thousand_frames_give_what_mxnet_gave(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}-symbol.json"
    imported = import_model(path, tmp_path, name, input_type="uint8", image_range=(0, 255))
    network = resolve_network(imported.workload)
    executor = Executor(network, load_parameters(network, imported.weights_path))
    outputs = executor.run(frames_from_images(network, _frames())).outputs
    sums = outputs[imported.workload.layers[-1].name].reshape(1000, -1)
    expected = np.load(FOLDER / f"{name}.npz")["scores"]
    assert np.count_nonzero((sums + PRODUCTS) / 2 != expected) == 0
    assert len(np.unique(expected, axis=0)) > 900
    report = check_model(path, imported.workload_path, random_inputs=20)
    assert report.verdict == "equal" and len(report.layers) == 4, str(report)


def _pair(folder: Path, change: Callable[[dict], None] = lambda content: None) -> Path:
    content = json.loads((FOLDER / "packed-symbol.json").read_text())
    change(content)
    (folder / "net-symbol.json").write_text(json.dumps(content))
    shutil.copy(FOLDER / "packed-0001.params", folder / "net-0007.params")
    return folder


def _node(name: str, **changes: str) -> Callable[[dict], None]:
    def change(content: dict) -> None:
        node = next(one for one in content["nodes"] if one["name"] == name)
        op = changes.pop("op", None)
        node["op"] = op or node["op"]
        node.setdefault("attrs", {}).update(changes)

    return change


def test_a_folder_holds_the_pair_and_the_parameters_lead_to_the_symbol(tmp_path: Path) -> None:
    _pair(tmp_path)
    for path in (tmp_path, tmp_path / "net-0007.params"):
        found = import_model(path, tmp_path / "out", "net", input_type="uint8", force=True)
        assert len(found.workload.layers) >= 4


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_node("qconv1", op="QDeconvolution"), r"qconv1: expected an operator that .*QDeconvolution"),
        (_node("qconv1", rotate="1"), r"qconv1 \(QConvolution\): expected settings .*rotate = 1"),
        (_node("qconv1", act_bit="9"), "expected act_bit of 1 to 8, got 9"),
        (_node("qconv1", scaling_mode="forward"), "expected scaling_mode none or backward, got forward"),
        (_node("qconv1", num_filter="32"), "expected 18432 weights packed in words of 32 or 64 bits"),
        (_node("data", __shape__="(1, 5, 10, 10)"), r"expected a parameter of shape \[64, 5, 3, 3\]"),
        (_node("data", __shape__="()"), "expected a __shape__"),
        (_node("pool1", pooling_convention="full"), "expected pooling_convention valid, got full"),
        (lambda c: c["nodes"][-1]["inputs"].__setitem__(0, [99, 0, 0]), "inputs that stand before it"),
        (lambda c: c["nodes"][-1]["inputs"][0].__setitem__(1, 1), "first outputs of nodes, got"),
        (lambda c: c["heads"][0].__setitem__(1, 2), "heads: expected first outputs of nodes, got"),
        (lambda c: c["nodes"][3].__setitem__("name", c["nodes"][2]["name"]), "each name once, got"),
        (lambda c: c.pop("heads"), "a whole MXNet symbol, got KeyError"),
        (
            lambda c: c["nodes"][0].pop("attrs"),
            r"expected a shape \(--input-shape .*got none \(\d+.* fit\)",
        ),
    ],
)
def test_what_is_not_understood_is_named(change, match: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=match) as caught:
        import_model(_pair(tmp_path, change), tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c[:5000], "a whole file of MXNet parameters, got ValueError|wanted"),
        (lambda c: c + b"x", "expected an end behind the names, got 1 bytes more"),
        (lambda c: c[:16] + struct.pack("<Q", 1 << 60) + c[24:], "a list of at most"),
        (lambda c: c[:24] + struct.pack("<IiI", 0xF993FAC9, 0, 5) + c[36:], "expected "),
        (lambda c: c[:24] + struct.pack("<IiIq", 0xF993FAC9, 0, 1, 1 << 60) + c[44:], "expected "),
        (lambda c: c[:24] + struct.pack("<Ii", 0xF993FAC9, 1) + c[32:], "dense arrays, got storage"),
    ],
)
def test_damaged_parameters_are_one_line(change, match: str, tmp_path: Path) -> None:
    path = _pair(tmp_path) / "net-0007.params"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SpecError, match=match) as caught:
        import_model(tmp_path, tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(3))
def test_any_damage_of_parameters_is_a_fault_or_other_numbers(seed: int, tmp_path: Path) -> None:
    random, path = Random(seed), tmp_path / "net.params"
    content = (FOLDER / "packed-0001.params").read_bytes()
    for _ in range(60):
        data = bytearray(content)
        for _ in range(random.choice((1, 4, 16))):
            data[random.randrange(8, len(data))] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        path.write_bytes(bytes(data))
        with suppress(SpecError):
            read_parameters(path)


def test_layers_that_read_one_tensor_read_one_quantised_tensor(tmp_path: Path) -> None:
    """A sign that flips within the bound of fixed point flips for both."""
    content = json.loads((FOLDER / "trained-symbol.json").read_text())
    own = next(node for node in content["nodes"] if node["name"] == "qconv1")
    content["nodes"].append({**own, "name": "twin"})
    content["heads"].append([len(content["nodes"]) - 1, 0, 0])
    (tmp_path / "net-symbol.json").write_text(json.dumps(content))
    shutil.copy(FOLDER / "trained-0001.params", tmp_path / "net-0001.params")
    graph = read_mxnet_model(tmp_path / "net-symbol.json", tmp_path / "net-0001.params", (3, 10, 10))
    read = {step.outputs[0]: step.inputs[0] for step in graph.steps}
    assert read["twin/border"] == read["qconv1/border"] == "qconv1/input"
    imported = import_model(tmp_path, tmp_path / "out", input_type="uint8", image_range=(0, 255))
    report = check_model(tmp_path, imported.workload_path, random_inputs=20)
    assert report.verdict == "equal", str(report)
