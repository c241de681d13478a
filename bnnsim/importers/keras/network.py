"""Keras and Larq models as ONNX graphs of plain operators, which the ONNX importer then reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.draft.write import ImportedNetwork
from bnnsim.importers.keras.file import KerasModel, read_keras
from bnnsim.importers.keras.lambdas.lowering import lambda_outputs
from bnnsim.importers.keras.layers import HANDLERS
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.operations import called
from bnnsim.importers.keras.understood import OPERATIONS
from bnnsim.importers.onnx.lowering import SignOfZero
from bnnsim.importers.onnx.network import (
    DEFAULT_FIXED,
    ImageRange,
    import_options,
    write_model,
)
from bnnsim.spec.faults import InputError

_SEVERAL_INPUTS = ("Add", "Concatenate", "Lambda", "Multiply", "Subtract")


def import_keras(
    path: str | Path,
    out_dir: str | Path,
    name: str | None = None,
    *,
    fixed: str = DEFAULT_FIXED,
    input_type: str | None = None,
    image_range: ImageRange | None = None,
    sign_of_zero: SignOfZero = "exact",
    output: str | None = None,
    real_layers: str | None = None,
    input_shape: Sequence[int] | None = None,
    force: bool = False,
) -> ImportedNetwork:
    """Import a Keras (Larq) model and write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir``.

    h5py reads the file, TensorFlow is not needed.

    Args:
        path: an ``.h5`` or ``.keras`` file.
        out_dir: where workload and weights go.
        name: the workload's name; default: the file's.
        fixed: the type of layers that stay in fixed point, or ``auto``.
        input_type: the type of an image's elements, for models that take raw pixels.
        image_range: the numbers that pixels 0 and 255 stand for, or such a pair for each channel.
        sign_of_zero: ``exact`` as the model's operators, ``plus`` where +1 may stand for it.
        output: the layer whose output is the only one to keep of several; default: all.
        real_layers: the type (int4 .. int16) to which real-valued weights are rounded; default:
            they are refused.
        input_shape: of one input, without the batch, as the model takes it; where its file leaves
            sizes open.
        force: replace files of that name that hold something else.

    Returns:
        The workload, the files, and what the user should know about them.

    Raises:
        InputError: the file cannot be read, holds what has no place in a binary network, or its
            results would replace other files; nothing is written then.

    Example:
        >>> from bnnsim import import_keras
        >>> imported = import_keras("larq.h5", "networks", input_type="uint8", image_range=(0, 255))
        >>> imported.workload_path.name, imported.weights_path.name
        ('larq.yaml', 'larq.npz')
    """
    options = import_options(
        fixed, input_type, image_range, sign_of_zero, output, real_layers, input_shape
    )
    return write_model(
        lambda file: keras_to_onnx(file, None, options.input_shape), path, out_dir, name, options, force
    )


def keras_to_onnx(
    path: str | Path, weights: Path | None = None, input_shape: Sequence[int] | None = None
) -> Any:
    """The model as an ``onnx.ModelProto`` with the layers' names on its operators.

    ``weights``: the file of a model whose structure was saved apart from them; ``input_shape``: what the
    user says where the file leaves sizes open. Raises :class:`InputError` where the file cannot be read,
    or holds a layer or a structure that has no counterpart.
    """
    with foreign_file(path, "a Keras model with settings that Keras writes"):
        return _built(path, read_keras(path, weights), input_shape)


def _built(path: str | Path, model: KerasModel, input_shape: Sequence[int] | None) -> Any:
    builder = OnnxBuilder()
    for layer in model.layers:
        if builder.input is None and layer.kind != "InputLayer":
            builder.read_input(layer, input_shape)
        given = layer.inputs or ((next(iter(builder.tensors)),) if builder.tensors else ())
        if len(given) > 1 and not (layer.kind in _SEVERAL_INPUTS or layer.kind in OPERATIONS):
            raise layer.fault("one input", ", ".join(given))
        missing = [name for name in given if name not in builder.tensors]
        if missing:
            raise layer.fault("inputs that were made before", missing[0])
        with foreign_file(f"{layer.place} ({layer.kind})", "settings as Keras writes them"):
            if layer.expression is not None:
                made = lambda_outputs(builder, layer, given)
            else:
                made = [(HANDLERS.get(layer.kind) or called)(builder, layer, given)]
        for name, (tensor, shape) in zip(layer.outputs, made, strict=True):
            builder.tensors[name], builder.shapes[name] = tensor, shape
    unknown = [name for name in model.outputs if name not in builder.tensors]
    if unknown or not model.outputs or not builder.nodes:
        raise InputError(str(path), "outputs that some layer makes", ", ".join(unknown) or "none")
    return builder.model(model.outputs)
