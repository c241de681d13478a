"""TensorFlow Lite models as ONNX graphs of plain operators, which the ONNX importer then reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.tflite.file import read_tflite
from bnnsim.importers.tflite.graph import LiteGraph
from bnnsim.importers.tflite.operators import HANDLERS
from bnnsim.spec.faults import InputError


def tflite_to_onnx(path: str | Path) -> Any:
    """The model as an ``onnx.ModelProto``; tensor number ``i`` is called ``t<i>``.

    Raises :class:`InputError` where the file cannot be read, or holds an operator that has no
    counterpart.
    """
    with foreign_file(path, "a TensorFlow Lite model as its converter writes it"):
        model = read_tflite(path)
        graph = LiteGraph(model)
        for operator in model.operators:
            with foreign_file(f"{operator.place} ({operator.kind})", "inputs as its schema says"):
                graph.shapes[operator.output] = HANDLERS[operator.kind](graph, operator)
            graph.names.update((one, f"t{one}") for one in operator.outputs)
        missing = [one for one in model.outputs if one not in graph.names or one == model.input]
        if missing:
            raise InputError(str(path), "outputs that some operator makes", f"tensor {missing[0]}")
        return graph.model(model.outputs)
