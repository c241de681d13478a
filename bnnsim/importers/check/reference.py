"""A model run as its own tools run it: standard operators by onnxruntime, QONNX's by qonnx."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.importers.onnx.file import CHANNELS_LAST_DOMAIN, QONNX_DOMAINS, model_input
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError

_QONNX = "qonnx.custom_op.general"
_Run = Callable[[dict[str, Array]], None]


class ReferenceModel:
    """A model's operators one by one, none fused and none reordered.

    Whole batches are run where the model allows that (old exports write a batch of 1 into their
    reshapes), else one input after the other.
    """

    def __init__(self, model: Any, file: str) -> None:
        """Raises :class:`InputError` where onnxruntime or qonnx is missing."""
        import onnx

        self._file = file
        self._opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 13)
        self._ir_version = min(int(model.ir_version), 10)
        self._constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
        self.input = model_input(model, file)
        self._steps: list[_Run] = []
        for index, node in enumerate(model.graph.node):
            step = self._step(node, index)
            if all(name in self._constants for name in node.input if name):
                self._evaluate(step)
            else:
                self._steps.append(step)

    def run(self, inputs: Array, wanted: Iterable[str]) -> dict[str, Array]:
        """The ``wanted`` tensors for ``inputs``, float32 with the batch in front.

        Raises :class:`InputError` where the model itself cannot be run.
        """
        names = list(wanted)
        try:
            found = self._once(inputs, names)
            if all(len(found[name]) == len(inputs) for name in names):
                return found
        except _Unrunnable:
            pass
        try:
            singles = [self._once(inputs[i : i + 1], names) for i in range(len(inputs))]
        except _Unrunnable as error:
            raise InputError(self._file, "a model that runs", str(error)) from None
        return {name: np.concatenate([one[name] for one in singles]) for name in names}

    def _evaluate(self, step: _Run) -> None:
        """A step on constants (a weight's quantiser): once, not on every run."""
        try:
            step(self._constants)
        except _Unrunnable as error:
            raise InputError(self._file, "a model that runs", str(error)) from None

    def _once(self, inputs: Array, names: list[str]) -> dict[str, Array]:
        tensors = {**self._constants, self.input.name: inputs}
        missing = set(names) - tensors.keys()
        for step in self._steps:
            if not missing:
                break
            step(tensors)
            missing -= tensors.keys()
        return {name: np.asarray(tensors[name]) for name in names}

    def _step(self, node: Any, index: int) -> _Run:
        place = f"{self._file}: {node.name or f'{node.op_type}_{index}'}"
        if node.domain in (*QONNX_DOMAINS, CHANNELS_LAST_DOMAIN):
            return _qonnx_step(node, place)
        return _standard_step(node, place, self._opset, self._ir_version)


class _Unrunnable(Exception):
    """An operator refused its inputs."""


def _qonnx_step(node: Any, place: str) -> _Run:
    try:
        from qonnx.custom_op.registry import getCustomOp
    except ImportError:
        raise InputError(
            place, "the package qonnx (pip install 'bnnsim[onnx]')", "it is not installed"
        ) from None
    copy = type(node)()
    copy.CopyFrom(node)
    if node.domain != CHANNELS_LAST_DOMAIN:
        copy.domain = _QONNX
    instance = getCustomOp(copy, onnx_opset_version=2 if len(node.input) == 6 else 1)

    def run(tensors: dict[str, Array]) -> None:
        try:
            instance.execute_node(tensors, None)
        except (ValueError, AssertionError, IndexError, KeyError, TypeError) as error:
            raise _Unrunnable(f"{place}: {str(error).splitlines()[0]}") from None

    return run


def _standard_step(node: Any, place: str, opset: int, ir_version: int) -> _Run:
    try:
        import onnxruntime
    except ImportError:
        raise InputError(
            place, "the package onnxruntime (pip install 'bnnsim[onnx]')", "it is not installed"
        ) from None
    import onnx
    from onnx.defs import get_schema

    schema = get_schema(node.op_type, opset)
    names = [name for name in node.input if name]
    sessions: dict[tuple[str, ...], Any] = {}

    def session(tensors: Mapping[str, Array]) -> Any:
        """One for each combination of element types that comes by; shapes stay open."""
        kinds = tuple(str(tensors[name].dtype) for name in names)
        if kinds not in sessions:
            values = [
                onnx.helper.make_tensor_value_info(
                    name, onnx.helper.np_dtype_to_tensor_dtype(tensors[name].dtype), None
                )
                for name in dict.fromkeys(names)
            ]
            outputs = [onnx.helper.make_empty_tensor_value_info(n) for n in node.output if n]
            graph = onnx.helper.make_graph([node], "step", values, outputs)
            opsets = [onnx.helper.make_opsetid(schema.domain, opset)]
            model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.log_severity_level = 4
            options.intra_op_num_threads = 1
            sessions[kinds] = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        return sessions[kinds]

    def run(tensors: dict[str, Array]) -> None:
        feeds: dict[str, npt.NDArray[Any]] = {name: tensors[name] for name in names}
        outputs = [name for name in node.output if name]
        try:
            found = session(tensors).run(outputs, feeds)
        except Exception as error:  # onnxruntime raises its own classes, straight from C++
            raise _Unrunnable(f"{place}: {str(error).splitlines()[0]}") from None
        tensors.update(zip(outputs, found, strict=True))

    return run
