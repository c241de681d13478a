"""Engines bit by bit: every element of every layer equals the functional executor's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.datapath.engine import frame as engine_bits
from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.design.network.network import resolve_network
from bnnsim.functional.parameters.parameters import load_parameters, random_parameters, save_parameters
from bnnsim.simulation import simulate
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import from_spec, load_workload
from tests.golden.bits.fracbnn import golden, parameters

pytest.importorskip("bnnsim.functional.executor")


@pytest.mark.parametrize(
    ("arch", "workload", "cycles"),
    [
        ("acce-bnn", "binarynet", 827_776),
        ("fracbnn", "fracbnn-cifar10", 96_867),
        ("fc-bnn", "vgg11ave", 271_074),
        ("fp-bnn", "binarynet", 19_282),
        ("fbna", "binarynet-24", 333_751),
    ],
)
def test_one_frame_with_drawn_weights_is_bit_exact(arch: str, workload: str, cycles: int) -> None:
    simulation = simulate(arch, workload, weights_seed=1)
    assert simulation.bit_exact is True
    assert simulation.cycles_total == cycles
    assert sum(_cycles(layer) for layer in simulation.layers) == cycles
    for unit in simulation.units:
        total = unit.busy_cycles + unit.stalled_on_input_cycles + unit.idle_cycles
        assert total == cycles


def _cycles(layer: Any) -> int:
    """What adds up to a layer's turn; its stalls by what was waited for are part of them."""
    parts = {name: value for name, value in vars(layer).items() if name.endswith("_cycles")}
    waits = [parts.pop(name) for name in list(parts) if name.endswith("_stall_cycles")]
    assert sum(waits) == layer.stall_cycles
    return sum(parts.values())


def test_trained_fracbnn_scores_its_pictures_as_the_hardware_does(tmp_path: Path) -> None:
    data = golden()
    np.savez(tmp_path / "fracbnn.npz", **parameters())
    np.savez(tmp_path / "pictures.npz", images_u8=data["images_u8"], labels=data["labels"])
    spec = load_workload("fracbnn-cifar10").spec
    workload = from_spec(spec.model_copy(update={"weights": str(tmp_path / "fracbnn.npz")}))
    simulation = simulate("fracbnn", workload, images=[tmp_path / "pictures.npz"])
    assert simulation.bit_exact is True
    np.testing.assert_array_equal(np.array(simulation.scores), data["scores_fixed_q7"])
    assert simulation.accuracy == 1.0
    assert simulation.cycles_total == 7 * 96_867


def test_parameters_of_scaled_layers_survive_a_file(tmp_path: Path) -> None:
    for name in ("fracbnn-cifar10", "rebnet-cifar10-m2"):
        network = resolve_network(load_workload(name))
        drawn = random_parameters(network, 3)
        save_parameters(tmp_path / f"{name}.npz", drawn)
        read = load_parameters(network, tmp_path / f"{name}.npz").by_layer()
        assert read.keys() == drawn.by_layer().keys()
        for layer, values in drawn.by_layer().items():
            for key, array in values.items():
                np.testing.assert_array_equal(read[layer][key], array)


def test_missing_and_misshapen_parameters_of_scaled_layers_are_named(tmp_path: Path) -> None:
    network = resolve_network(load_workload("fracbnn-cifar10"))
    arrays = {
        f"{layer}.{key}": array
        for layer, values in random_parameters(network, 3).by_layer().items()
        for key, array in values.items()
    }
    arrays["bn1.scale"] = arrays["bn1.scale"][:3]
    arrays["fc.bias"] = arrays["fc.bias"] + 5000
    del arrays["layer1_0_conv1.rprelu_x"]
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(SpecError, match=r"bn1.scale: expected shape \[16\], got \[3\]") as caught:
        load_parameters(network, tmp_path / "wrong.npz")
    assert "layer1_0_conv1.rprelu_x: expected this key, got none" in str(caught.value)
    assert "fc.bias: expected fixed12.8 values, -2048 .. 2047" in str(caught.value)


def test_one_wrong_tile_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = engine_bits.loop_table

    def shifted(loops: Any) -> Any:
        table = plain(loops)
        table[:, 1] -= (table[:, 0] == 1) & (table[:, 1] > 1)  # one tile of input channels left out
        return table

    monkeypatch.setattr(engine_bits, "loop_table", shifted)
    with pytest.raises(BitMismatchError, match="layer conv2, frame 0"):
        simulate("acce-bnn", "binarynet", weights_seed=1)
