"""TensorFlow Lite files read by the package ``tflite``: tensors, constants and operators of a model.

Larq Compute Engine's operators are custom ones; their settings are FlexBuffers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.foreign.flatbuffer import MOST_ENTRIES, read_flatbuffer
from bnnsim.importers.foreign.formats import TFLITE
from bnnsim.importers.onnx.graph import Array
from bnnsim.importers.tflite.understood import OPERATORS, SEVERAL_OUTPUTS
from bnnsim.spec.bounds import MAX_ARRAY_BYTES
from bnnsim.spec.faults import InputError

_TYPES = {0: np.float32, 2: np.int32, 4: np.int64, 9: np.int8, 6: np.bool_}


@dataclass(frozen=True)
class Tensor:
    """A tensor: its shape as stored (maps channels last, bits packed in 32-bit words), and its values
    where it is a constant."""

    shape: tuple[int, ...]
    values: Array | None


@dataclass(frozen=True)
class Operator:
    """An operator by its name in the schema (custom ones by their own); ``inputs`` that are left out
    are None. Only a split has several ``outputs``."""

    kind: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int | float]
    place: str

    @property
    def output(self) -> int:
        """The first output."""
        return self.outputs[0]

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this operator."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))


@dataclass(frozen=True)
class LiteModel:
    """The only graph of a file."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    outputs: tuple[int, ...]


def read_tflite(path: str | Path) -> LiteModel:
    """The graph of a TensorFlow Lite file.

    Raises :class:`InputError` where the packages are missing, the file is broken, or it holds an
    operator, option or type that is not understood.
    """
    return read_flatbuffer(path, TFLITE, "a whole TensorFlow Lite file", _read, "tflite")


def _read(file: Path) -> LiteModel:
    from tflite.Model import Model

    content = file.read_bytes()
    model = Model.GetRootAs(content, 0)
    if model.SubgraphsLength() != 1:
        raise InputError(str(file), "a model of one graph", f"{model.SubgraphsLength()}")
    graph = model.Subgraphs(0)
    counts = graph.TensorsLength(), graph.OperatorsLength(), graph.OutputsLength()
    if max(counts) > MOST_ENTRIES:
        raise InputError(str(file), f"at most {MOST_ENTRIES} tensors and operators", f"{max(counts)}")
    if graph.InputsLength() != 1 or not graph.OutputsLength():
        got = f"{graph.InputsLength()} and {graph.OutputsLength()}"
        raise InputError(str(file), "one input and at least one output", got)
    tensors = tuple(_tensor(model, graph, i, file) for i in range(counts[0]))
    operators = tuple(_operator(model, graph, i, len(tensors), file) for i in range(counts[1]))
    outputs = tuple(_within(graph.Outputs(i), tensors, file) for i in range(counts[2]))
    return LiteModel(tensors, operators, _within(graph.Inputs(0), tensors, file), outputs)


def _within(index: int, tensors: tuple[Tensor, ...], file: Path) -> int:
    if not 0 <= index < len(tensors):
        raise InputError(str(file), f"numbers of its {len(tensors)} tensors", f"{index}")
    return int(index)


def _tensor(model: Any, graph: Any, index: int, file: Path) -> Tensor:
    stored = graph.Tensors(index)
    name = f"{index} {(stored.Name() or b'').decode('utf-8', 'replace')}".strip()
    place = f"{file}: tensor {name}"
    if stored.ShapeLength() > 8:
        raise InputError(place, "at most 8 dimensions", str(stored.ShapeLength()))
    shape = tuple(int(stored.Shape(i)) for i in range(stored.ShapeLength()))
    if stored.Sparsity() is not None:
        raise InputError(place, "a dense tensor", "a sparse one")
    kind = _TYPES.get(stored.Type())
    if not 0 <= stored.Buffer() < model.BuffersLength():
        raise InputError(place, f"a number of its {model.BuffersLength()} buffers", stored.Buffer())
    buffer = model.Buffers(stored.Buffer())
    size = int(buffer.DataLength())
    values = None
    if size:
        if kind is None:
            expected = f"a constant of {', '.join(np.dtype(one).name for one in _TYPES.values())}"
            raise InputError(place, expected, f"type {stored.Type()}")
        if not 0 <= size <= MAX_ARRAY_BYTES or prod(shape) * np.dtype(kind).itemsize != size:
            raise InputError(place, f"as many bytes as its shape {list(shape)} says", f"{size:,}")
        values = np.frombuffer(bytes(buffer.DataAsNumpy()), np.dtype(kind).newbyteorder("<"))
        values = values.reshape(shape).astype(kind)
    is_quantised = stored.Quantization() is not None and stored.Quantization().ScaleLength() > 0
    if is_quantised:
        expected = "a model with float tensors (converted without int8 quantisation)"
        raise InputError(place, expected, "a quantised tensor")
    return Tensor(shape, values)


def _operator(model: Any, graph: Any, index: int, tensors: int, file: Path) -> Operator:
    stored = graph.Operators(index)
    code = model.OperatorCodes(stored.OpcodeIndex())
    kind = (code.CustomCode() or b"").decode("utf-8", "replace") or _builtin(code)
    place = f"{file}: operator {index}"
    if kind not in OPERATORS:
        known = ", ".join(sorted(OPERATORS))
        raise InputError(place, f"an operator that can be imported ({known})", kind)
    ends = stored.InputsLength(), stored.OutputsLength()
    if max(ends) > MOST_ENTRIES or not ends[1] or (ends[1] != 1 and kind not in SEVERAL_OUTPUTS):
        raise InputError(f"{place} ({kind})", "one output", str(ends[1]))
    inputs = [int(stored.Inputs(i)) for i in range(ends[0])]
    outputs = [int(stored.Outputs(i)) for i in range(ends[1])]
    if not all(-1 <= one < tensors for one in inputs) or not all(0 <= one < tensors for one in outputs):
        got = str([*inputs, *outputs])
        raise InputError(f"{place} ({kind})", f"numbers of its {tensors} tensors", got)
    names = tuple(None if one < 0 else one for one in inputs)
    with foreign_file(f"{place} ({kind})", "options as its schema says"):
        options = _options(stored, kind)
    return Operator(kind, names, tuple(outputs), options, place)


def _builtin(code: Any) -> str:
    """The schema's name of an operator; codes beyond 127 stand in a second field."""
    from tflite.BuiltinOperator import BuiltinOperator

    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    names = {v: k for k, v in vars(BuiltinOperator).items() if isinstance(v, int)}
    return str(names.get(number, f"operator {number}"))


def _options(stored: Any, kind: str) -> dict[str, int | float]:
    """An operator's options by name: of the schema's table, or of Larq Compute Engine's own."""
    known = OPERATORS[kind]
    if known.table is None:
        if not known.options:
            return {}
        from flatbuffers import flexbuffers

        found = flexbuffers.Loads(bytes(stored.CustomOptionsAsNumpy()))
        if not isinstance(found, dict) or set(found) != set(known.options):
            raise ValueError(f"options {', '.join(known.options)}")
        return {key: int(value) for key, value in found.items()}
    import tflite

    table = stored.BuiltinOptions()
    if table is None:
        return {}
    options = getattr(tflite, known.table)()
    options.Init(table.Bytes, table.Pos)
    return {name: getattr(options, name)() for name in known.options}
