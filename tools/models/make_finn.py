"""FINN builds of small networks, written by FINN itself: the test files of ``bnnsim import finn``.

    pip install finn-plus==1.6.1 psutil      # a fork of FINN on PyPI; no vendor tools are needed
    python tools/models/make_finn.py tests/golden/imported/finn [NAME ...]

Each network is exported by Brevitas and goes through FINN's own build steps up to its estimate reports;
then FINN inserts its converters and FIFOs. FINN runs the graph on 1,000 random inputs (``outputs`` in
``framework.npz``). Written with finn-plus 1.6.1, brevitas 0.13.0, qonnx 1.0.0, torch 2.12.1.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("FINN_BUILD_DIR", tempfile.mkdtemp())

import brevitas.nn as qnn
import finn.xsi
import numpy as np
import onnx
import qonnx.core.onnx_exec
import torch
from brevitas.core.bit_width import BitWidthImplType
from brevitas.core.quant import QuantType
from brevitas.core.restrict_val import RestrictValueType
from brevitas.core.scaling import ScalingImplType
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.export import export_qonnx
from brevitas.inject import ExtendedInjector
from brevitas.quant.solver import ActQuantSolver, WeightQuantSolver
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import GiveReadableTensorNames, GiveUniqueNodeNames
from qonnx.transformation.insert_topk import InsertTopK
from qonnx.util.cleanup import cleanup_model
from qonnx.util.config import extract_model_config_to_json
from torch import nn

finn.xsi.SimEngine = object  # the steps import it; it is Vivado's and not asked for here
import finn.builder.build_dataflow_config as config  # noqa: E402
import finn.builder.build_dataflow_steps as steps  # noqa: E402
import finn.transformation.streamline.absorb as absorb  # noqa: E402
import finn.transformation.streamline.reorder as reorder  # noqa: E402
from finn.transformation.fpgadataflow.insert_dwc import InsertDWC  # noqa: E402
from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO  # noqa: E402
from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers  # noqa: E402

INPUTS = 1000
STEPS = (
    "step_qonnx_to_finn",
    "step_tidy_up",
    "step_streamline",
    "step_convert_to_hw",
    "step_create_dataflow_partition",
    "step_specialize_layers",
    "step_target_fps_parallelization",
    "step_apply_folding_config",
    "step_minimize_bit_width",
    "step_generate_estimate_reports",
)
KEPT = ("step_streamline", "step_create_dataflow_partition", "step_generate_estimate_reports")
CONFIG = (
    *("PE", "SIMD", "parallel_window", "ram_style", "depth", "impl_style", "resType", "mem_mode"),
    *("runtime_writeable_weights", "inFIFODepths", "outFIFODepths", "depth_trigger_uram"),
    "depth_trigger_bram",
)


class _Common(ExtendedInjector):
    bit_width_impl_type = BitWidthImplType.CONST
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.FP
    zero_point_impl = ZeroZeroPoint
    float_to_int_impl_type = "ROUND"
    scaling_per_output_channel = False
    narrow_range = True
    signed = True
    quant_type = QuantType.BINARY
    bit_width = 1


class _Weights(_Common, WeightQuantSolver):
    scaling_const = 1.0


class _Bits(_Common, ActQuantSolver):
    min_val = -1.0
    max_val = 1.0


def sign() -> nn.Module:
    return qnn.QuantIdentity(act_quant=_Bits)


def levels() -> nn.Module:
    """0, 1, 2, 3."""
    return qnn.QuantReLU(bit_width=2, max_val=3.0, scaling_impl_type=ScalingImplType.CONST)


def conv(channels: int, out: int, kernel: int = 3, **settings: int) -> nn.Module:
    return qnn.QuantConv2d(channels, out, kernel, bias=False, weight_quant=_Weights, **settings)


def linear(features: int, out: int) -> nn.Module:
    return qnn.QuantLinear(features, out, bias=False, weight_quant=_Weights)


def mlp() -> tuple[nn.Module, tuple[int, ...]]:
    """Bits all through."""
    parts: list[nn.Module] = [sign()]
    for _ in range(2):
        parts += [linear(48 if len(parts) == 1 else 16, 16), nn.BatchNorm1d(16), sign()]
    return nn.Sequential(*parts, linear(16, 10)), (1, 48)


def labels() -> tuple[nn.Module, tuple[int, ...]]:
    """Bits again; FINN chooses the three best classes in hardware (LabelSelect)."""
    return mlp()


def cnv() -> tuple[nn.Module, tuple[int, ...]]:
    """Bytes in, a pool, two linear layers."""
    maps = [conv(3, 8), nn.BatchNorm2d(8), sign(), conv(8, 8), nn.BatchNorm2d(8), sign()]
    maps += [nn.MaxPool2d(2), conv(8, 16), nn.BatchNorm2d(16), sign(), nn.Flatten(1)]
    return nn.Sequential(
        *maps, linear(64, 8), nn.BatchNorm1d(8), sign(), linear(8, 10)
    ), (1, 3, 12, 12)


def depthwise() -> tuple[nn.Module, tuple[int, ...]]:
    """Borders, a stride, a convolution of each channel by itself and one of pixels."""
    maps = [levels(), conv(3, 8, padding=1), nn.BatchNorm2d(8), levels()]
    maps += [conv(8, 8, groups=8, padding=1, stride=2), nn.BatchNorm2d(8), levels()]
    maps += [conv(8, 16, 1), nn.BatchNorm2d(16), levels(), nn.Flatten(1)]
    return nn.Sequential(*maps, linear(256, 10)), (1, 3, 8, 8)


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(levels(), conv(3, 8), nn.BatchNorm2d(8), levels())
        self.way = nn.Sequential(conv(8, 8, padding=1), nn.BatchNorm2d(8), levels())
        self.last = nn.Sequential(conv(8, 8), nn.BatchNorm2d(8), levels(), nn.Flatten(1))
        self.scores = linear(32, 10)

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        return self.scores(self.last(x + self.way(x)))


def residual() -> tuple[nn.Module, tuple[int, ...]]:
    """A shortcut."""
    return _Residual(), (1, 3, 6, 6)


NETWORKS = {"mlp": mlp, "labels": labels, "cnv": cnv, "depthwise": depthwise, "residual": residual}


def settle(net: nn.Module, shape: tuple[int, ...]) -> None:
    """Random weights, and batch norms with gains and shifts of their own that have seen random inputs."""
    for module in net.modules():
        if isinstance(module, qnn.QuantConv2d | qnn.QuantLinear):
            module.weight.data.uniform_(-1, 1)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.weight.data.uniform_(0.3, 1.5)
            module.bias.data.normal_(0, 0.4)
    with torch.no_grad():
        for _ in range(20):
            net(torch.rand(16, *shape[1:]) * 4 - 0.5)
    net.eval()


def build(name: str, folder: Path) -> None:
    torch.manual_seed(1)
    net, shape = NETWORKS[name]()
    settle(net, shape)
    room = folder / "intermediate_models"
    shutil.rmtree(folder, ignore_errors=True)
    room.mkdir(parents=True)
    (folder / "report").mkdir()
    export_qonnx(net, torch.rand(shape), export_path=str(folder / "exported.onnx"))
    model = cleanup_model(ModelWrapper(str(folder / "exported.onnx")))
    model.save(str(folder / "model.onnx"))
    if name == "cnv":
        model.set_tensor_datatype(model.graph.input[0].name, DataType["UINT8"])
    asked = config.DataflowBuildConfig(
        output_dir=str(folder),
        synth_clk_period_ns=10.0,
        fpga_part="xc7z020clg400-1",
        target_fps=1_000_000 if name in ("mlp", "labels") else 100_000,
        auto_fifo_depths=False,
        generate_outputs=[config.DataflowOutputType.ESTIMATE_REPORTS],
    )
    for step in STEPS:
        model = getattr(steps, step)(model, asked)
        if step == "step_tidy_up" and name == "labels":
            model = model.transform(InsertTopK(k=3))
        if step == "step_streamline" and name == "residual":
            model = without_turns(model)
        if step in KEPT:
            model.save(str(room / f"{step}.onnx"))
        if step == "step_create_dataflow_partition":
            run(model, folder)
    part = asked._resolve_fpga_part()
    model = model.transform(InsertDWC()).transform(SpecializeLayers(part))
    model = model.transform(InsertFIFO(create_shallow_fifos=True)).transform(SpecializeLayers(part))
    model = model.transform(GiveUniqueNodeNames()).transform(GiveReadableTensorNames())
    model.save(str(room / "step_set_fifo_depths.onnx"))
    extract_model_config_to_json(model, str(folder / "final_hw_config.json"), list(CONFIG))
    for file in folder.rglob("*.onnx"):
        forget_machine(file)
    for needless in ("exported.onnx", "exported.onnx.data", "template_specialize_layers_config.json"):
        (folder / needless).unlink(missing_ok=True)


def without_turns(model: Any) -> Any:
    """Both ways of a shortcut channels last, as FINN's examples have their ResNets."""
    moves = (reorder.MoveTransposePastFork(), reorder.MoveTransposePastJoinAdd())
    for one in (*moves, absorb.AbsorbConsecutiveTransposes()) * 2:
        model = model.transform(one)
    return model.transform(absorb.AbsorbTransposeIntoFlatten())


def forget_machine(file: Path) -> None:
    """Take out where a file was made: notes of the exporter, and folders of partitions."""
    model = onnx.load(file)
    graph = model.graph
    for one in (model, graph, *graph.node, *graph.value_info, *graph.initializer):
        del one.metadata_props[:]
        one.doc_string = ""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "model":
                attribute.s = f"finn_build/{Path(attribute.s.decode()).name}".encode()
    onnx.save(model, file)


def run(model: Any, folder: Path) -> None:
    """FINN's own answers: its nodes in Python."""
    given, made = model.graph.input[0].name, model.graph.output[0].name
    shape = model.get_tensor_shape(given)
    kind = model.get_tensor_datatype(given)
    random = np.random.default_rng(1)
    whole = (INPUTS, *shape[1:])
    if kind.is_integer():
        inputs = random.integers(int(kind.min()), int(kind.max()) + 1, whole)
    else:
        inputs = random.integers(-8, 24, whole) / 4  # steps of a quarter: exact in float32
    inputs = inputs.astype(np.float32)
    run_one = qonnx.core.onnx_exec.execute_onnx
    outputs = np.stack([run_one(model, {given: one[np.newaxis]})[made][0] for one in inputs])
    np.savez_compressed(folder / "framework.npz", outputs=outputs.reshape(INPUTS, -1))


if __name__ == "__main__":
    for wanted in sys.argv[2:] or NETWORKS:
        build(wanted, Path(sys.argv[1]) / wanted)
