"""QONNX and ONNX models into workloads: binary and few-bit networks, folded into integers exactly."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from bnnsim.importers.draft.draft import INPUT
from bnnsim.importers.draft.passes import canonicalise
from bnnsim.importers.draft.workload import Arrays, to_workload
from bnnsim.importers.draft.write import ImportedNetwork, checked_name, write_network
from bnnsim.importers.foreign.boundary import foreign_file
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.file import load_model, read_graph
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import (
    FrameRule,
    Handler,
    ImportOptions,
    Lowering,
    SignOfZero,
    lower,
)
from bnnsim.importers.onnx.operators import elementwise, layers, pools, qonnx, shapes
from bnnsim.importers.onnx.operators.joins import concat, in_fixed_point
from bnnsim.importers.onnx.operators.quantise import negated, quantised
from bnnsim.spec.faults import InputError
from bnnsim.spec.value_type import TYPE_TEXT, ValueType, parse_value_type
from bnnsim.spec.workload import Workload

DEFAULT_FIXED = "fixed24.12"

HANDLERS: dict[str, Handler] = {
    "Add": elementwise.add,
    "ArgMax": layers.classifier_end,
    "AveragePool": pools.average_pool,
    "BatchNormalization": elementwise.batch_norm,
    "BipolarQuant": qonnx.bipolar_quant,
    "Cast": elementwise.cast,
    "Clip": elementwise.clip,
    "Concat": concat,
    "Conv": layers.conv,
    "Div": elementwise.divide,
    "Dropout": elementwise.same,
    "Flatten": shapes.flatten,
    "Gemm": layers.gemm,
    "GlobalAveragePool": pools.average_pool,
    "Greater": elementwise.compare,
    "GreaterOrEqual": elementwise.compare,
    "HardTanh": elementwise.hard_tanh,
    "Identity": elementwise.same,
    "IntQuant": qonnx.quant,
    "LeakyRelu": elementwise.leaky_relu,
    "Less": elementwise.compare,
    "LessOrEqual": elementwise.compare,
    "LogSoftmax": layers.classifier_end,
    "MatMul": layers.matmul,
    "MaxPool": pools.max_pool,
    "Mul": elementwise.multiply,
    "MultiThreshold": qonnx.multi_threshold,
    "Neg": elementwise.negate,
    "PRelu": elementwise.prelu,
    "Pad": shapes.pad,
    "Quant": qonnx.quant,
    "ReduceMean": pools.average_pool,
    "Relu": elementwise.relu,
    "Reshape": shapes.reshape,
    "Shape": shapes.shape,
    "Sign": elementwise.sign,
    "Softmax": layers.classifier_end,
    "Squeeze": shapes.squeeze,
    "Sub": elementwise.subtract,
    "Sum": elementwise.add,
    "TopK": layers.classifier_end,
    "Transpose": shapes.transpose,
    "Trunc": qonnx.trunc,
    "Unsqueeze": shapes.unsqueeze,
    "Where": elementwise.where,
    "XnorPopcountMatMul": layers.xnor_popcount_matmul,
}


@dataclass(frozen=True)
class LoweredModel:
    """A model as a workload, with what ties the two together.

    A model's score is ``score_gain * workload score + score_offset``. ``bindings`` maps tensors of the
    model to the layer whose integers they are functions of; ``head_tensor`` is the model's tensor of
    scores.
    """

    workload: Workload
    arrays: Arrays
    bindings: Mapping[str, TensorBinding]
    head_tensor: str
    score_gain: Fraction
    score_offset: Fraction
    errors: Mapping[str, Fraction]
    """By how many steps of its integers a layer in fixed point may be off, where it may."""
    notes: tuple[str, ...]
    frame: FrameRule


def import_onnx(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: tuple[float, float] | None = None,
    sign_of_zero: SignOfZero = "exact",
    force: bool = False,
) -> ImportedNetwork:
    """Import a QONNX or ONNX file and write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir``.

    Args:
        path: the model's file.
        out_dir: where workload and weights go.
        name: the workload's name; default: the file's.
        fixed: the type of layers that stay in fixed point.
        input_type: the type of an image's elements, for models that take raw pixels.
        image_range: the numbers that pixels 0 and 255 stand for.
        sign_of_zero: ``exact`` as the model's operators, ``plus`` where +1 may stand for it.
        force: replace files of that name that hold something else.

    Returns:
        The workload, the files, and what the user should know about them.

    Raises:
        InputError: the file cannot be read, holds what has no place in a binary network, or its
            results would replace other files; nothing is written then.

    Example:
        >>> from bnnsim import import_onnx
        >>> imported = import_onnx("tfc.onnx", "networks")
        >>> [layer.op for layer in imported.workload.layers]
        ['linear', 'linear', 'linear', 'linear']
    """
    options = import_options(fixed, input_type, image_range, sign_of_zero)
    return write_model(load_model, path, out_dir, name, options, force)


def write_model(
    read: Callable[[str | Path], Any],
    path: str | Path,
    out_dir: str | Path,
    name: str | None,
    options: ImportOptions,
    force: bool,
) -> ImportedNetwork:
    """Lower the ``onnx.ModelProto`` that ``read`` makes of the file at ``path``, and write it."""
    chosen = checked_name(name) if name is not None else workload_name(path)
    lowered = lower_model(read(path), str(path), chosen, options)
    return write_network(out_dir, lowered.workload, lowered.arrays, lowered.notes, force=force)


def import_options(
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: tuple[float, float] | None = None,
    sign_of_zero: SignOfZero = "exact",
) -> ImportOptions:
    """The user's words as options. Raises :class:`InputError`."""
    word = _type("fixed", fixed)
    if word.kind != "fixed":
        raise InputError("fixed", "fixedW.F (such as fixed16.8)", fixed)
    frame = None if input_type is None else _type("input type", input_type)
    if image_range is not None:
        low, high = image_range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            expected = "two finite numbers, LOW below HIGH"
            raise InputError("image range", expected, f"{low:g} {high:g}")
    return ImportOptions(word, frame, image_range, sign_of_zero)


def _type(place: str, text: str) -> ValueType:
    try:
        return parse_value_type(text)
    except ValueError:
        raise InputError(place, TYPE_TEXT, repr(text)) from None


def workload_name(path: str | Path) -> str:
    """A workload's name from a file's."""
    stem = re.sub(r"[^A-Za-z0-9_.\-]+", "-", Path(path).stem).strip("-.")
    return stem if re.match(r"[A-Za-z_]", stem) else f"network-{stem}".rstrip("-")


def lower_model(model: Any, file: str, name: str, options: ImportOptions) -> LoweredModel:
    """A loaded model as a workload; ``file`` stands for it in messages.

    Raises :class:`InputError` where the model has no place in a workload.
    """
    with foreign_file(file, "a model that can be imported"):
        return _lowered(model, file, name, options)


def _lowered(model: Any, file: str, name: str, options: ImportOptions) -> LoweredModel:
    state = lower(read_graph(model, file), options, HANDLERS)
    gain, offset = _scores(state)
    done = canonicalise(state.draft)
    if state.draft.input_type is None or state.frame is None or not state.draft.layers:
        raise InputError(file, "a network with at least one layer", "none")
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]
    producer = f", written by {model.producer_name}" if model.producer_name else ""
    source = f"imported from {Path(file).name} (sha256 {digest}...{producer})"
    workload, arrays = to_workload(state.draft, name, source)
    errors = {
        layer: state.draft.error_of(layer) * (1 << state.draft.fraction_bits_of(layer))
        for layer in state.draft.layers
    }
    notes = (*state.notes, _score_note(state, gain, offset))
    bindings = {}
    for tensor, found in state.bindings.items():
        binding = state.integers.get(tensor, found)
        holder = None if binding is None or binding.is_raw else done.holder(binding.base)
        if binding is not None and holder is not None:
            bindings[tensor] = replace(binding, base=holder)
    return LoweredModel(
        workload,
        arrays,
        bindings,
        state.head_tensor,
        gain,
        offset,
        errors,
        notes,
        state.frame,
    )


def _scores(state: Lowering) -> tuple[Fraction, Fraction]:
    """Make the workload's output the scores: one gain above 0 and one offset for all classes."""
    assert state.head is not None
    end = Operator("output", "output", (), (), {}, f"{state.graph.file}: {state.head_tensor}")
    head = quantised(state, end, state.head)
    if head.base == INPUT:
        raise InputError(state.graph.file, "a network with at least one layer", "none")
    affine = head.function.shared_affine()
    if affine is not None and affine.gain < 0:
        base, function = negated(state, head.base, head.function, [True])
        head = TensorBinding(base, function.simplest, head.dimensions)
        affine = head.function.shared_affine()
    if affine is None or affine.gain <= 0:
        head = in_fixed_point(state, end, head, with_offsets=True)
        affine = head.function.shared_affine()
        if affine is None:
            raise end.fault("scores with one offset for all classes", "one behind a PReLU for each")
    state.draft.output = head.base
    state.integers[state.head_tensor] = head
    state.head = head
    return affine.gain, affine.offset


def _score_note(state: Lowering, gain: Fraction, offset: Fraction) -> str:
    sign = "-" if offset < 0 else "+"
    return (
        f"model score ({state.head_tensor}) = {float(gain):.9g} * score {sign} {abs(float(offset)):.9g}"
    )
