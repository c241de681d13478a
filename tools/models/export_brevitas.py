"""Export Brevitas's TFC, SFC, LFC and CNV (1W1A) to QONNX and keep their graphs without the weights.

Needs torch and brevitas (not dependencies of the project). The graphs are exactly as Brevitas writes
them; the contents of every initialiser above 64 elements are left out, for tests to fill from a seed.

    python tools/models/export_brevitas.py tests/golden/imported/onnx
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import onnx

NAMES = ("tfc_1w1a", "sfc_1w1a", "lfc_1w1a", "cnv_1w1a", "cnv_2w2a")
KEPT_ELEMENTS = 64


def export(name: str, path: Path, seed: int = 0) -> Path:
    """Write Brevitas's model ``name`` with random weights and batch norms to ``path``."""
    import torch
    from brevitas.export import export_qonnx
    from brevitas_examples.bnn_pynq.models import model_with_cfg

    torch.manual_seed(seed)
    model, config = model_with_cfg(name, pretrained=False)
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.weight.data.normal_(0, 1)  # half of the gains are negative
            module.bias.data.normal_(0, 1)
            module.running_mean.normal_(0, 8)
            module.running_var.uniform_(20, 200)
    channels = config.getint("MODEL", "IN_CHANNELS")
    side = 28 if channels == 1 else 32
    export_qonnx(model, args=torch.randn(1, channels, side, side), export_path=str(path))
    return path


def without_weights(model: Any) -> Any:
    """The model with the contents of its large initialisers left out."""
    for tensor in model.graph.initializer:
        size = 1
        for dim in tensor.dims:
            size *= dim
        if size > KEPT_ELEMENTS or (size > 1 and "running" in tensor.name):
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.doc_string = "left out"
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    return model


def main() -> None:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary:
        for name in NAMES:
            model = onnx.load(export(name, Path(temporary) / f"{name}.onnx"))
            target = folder / f"brevitas_{name}.onnx"
            onnx.save(without_weights(model), target)
            print(target, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
