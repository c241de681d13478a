"""Small networks around one operator, imported and held against onnxruntime and qonnx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx
from tests.golden.imported.onnx_models import Builder

QONNX = "qonnx.custom_op.general"


def imported(b: Builder, output: str, folder: Path, **options: Any) -> Any:
    """Import, check on 60 random inputs that every layer is equal, and return the workload."""
    path = b.save(output, folder / "net.onnx")
    found = import_onnx(path, folder, **options)
    report = check_model(path, found.workload_path, random_inputs=60)
    assert report.is_equal, str(report)
    assert report.layers[-1].layer == found.workload.layers[-1].name
    return found.workload


def ops(workload: Any) -> list[str]:
    return [layer.op for layer in workload.layers]


def sums_of_image(b: Builder, channels: int = 8) -> str:
    """Sums of a first convolution over a centred image."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    return b.conv(b.bipolar(x), b.signs(channels, b.input_shape[1], 3, 3), 3)


def scores_of(b: Builder, x: str, elements: int) -> str:
    return b.op("MatMul", b.op("Flatten", x), b.signs(elements, 4))


def quant(b: Builder, x: str, bits: float, signed: int, domain: str = QONNX, **more: Any) -> str:
    operands = (b.constant(0.7), b.constant(0.0), b.constant(bits))
    return b.op("Quant", x, *operands, domain=domain, signed=signed, narrow=0, **more)
