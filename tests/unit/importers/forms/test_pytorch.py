"""The documents' ways from a PyTorch module and its checkpoint, against what PyTorch computes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402

DOCUMENT = Path(__file__).parents[4] / "docs" / "import.md"
TUTORIAL = DOCUMENT.parent / "tutorials" / "birealnet.py"


class Network(torch.nn.Module):  # type: ignore[misc]
    """Signs as many repositories write them, with the scaling factors of XNOR-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(8)
        self.dense = torch.nn.Linear(512, 10)

    def sign(self, x):
        soft = torch.clamp(x, -1, 1)
        return (torch.sign(x) - soft).detach() + soft

    def forward(self, x):
        weight = self.conv.weight
        scale = weight.abs().mean((1, 2, 3), keepdim=True)
        x = torch.nn.functional.conv2d(x, scale * self.sign(weight))
        x = self.sign(self.norm(x)).flatten(1)
        return torch.nn.functional.linear(x, self.sign(self.dense.weight), self.dense.bias)


def test_a_module_and_its_checkpoint_give_the_scores_that_pytorch_gives(tmp_path):
    torch.manual_seed(1)
    model = Network()
    model.norm.running_mean.normal_(0, 2)
    model.norm.running_var.uniform_(1, 6)
    torch.save(model.state_dict(), tmp_path / "net.pt")
    script = DOCUMENT.read_text().split("```python\nimport torch")[1].split("```")[0]
    names: dict[str, object] = {"torch": torch}
    exec(script, names)
    names["export"](model, tmp_path / "net.pt", (3, 10, 10), tmp_path / "net.onnx")  # type: ignore[operator]
    pixels = np.random.default_rng(1).integers(0, 256, (1000, 3, 10, 10)).astype(np.uint8)
    expected = model(torch.from_numpy(pixels).float() / 255).detach().numpy()
    imported = import_model(tmp_path / "net.onnx", tmp_path, input_type="uint8")
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    found = execute(network, parameters, frames_from_images(network, pixels)).scores
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected)
    assert np.count_nonzero(off > 1e-4 * np.ptp(expected)) == 0


def test_the_tutorial_s_module_with_a_checkpoint_gives_the_scores_too(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("birealnet", TUTORIAL)
    assert spec is not None and spec.loader is not None
    birealnet = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(birealnet)
    torch.manual_seed(2)
    model = birealnet.BiRealNet()
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):  # real weights that eight bits hold
                layer.weight.copy_(torch.randint(-127, 128, layer.weight.shape) / 256)
        for _ in range(30):  # the batch norms see what the layers give
            model(torch.randn(8, 3, 32, 32))
    torch.save(model.state_dict(), tmp_path / "net.pt")
    files = [str(tmp_path / "net.onnx"), str(tmp_path / "net.pt")]
    monkeypatch.setattr(sys, "argv", ["birealnet.py", *files])
    birealnet.main()
    imported = import_model(tmp_path / "net.onnx", tmp_path, input_type="uint8")
    pixels = np.random.default_rng(1).integers(0, 256, (50, 3, 32, 32)).astype(np.uint8)
    expected = model.eval()(torch.from_numpy(pixels).float() / 255).detach().numpy()
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    found = execute(network, parameters, frames_from_images(network, pixels)).scores
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found.reshape(50, -1) + offset - expected).max(axis=1)
    assert np.mean(off <= 1e-3 * np.ptp(expected)) >= 0.9
