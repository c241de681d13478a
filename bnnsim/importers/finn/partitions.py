"""One graph of several files: FINN keeps a partition's nodes in a model of its own.

A ``StreamingDataflowPartition`` names its model by the path it had where it was built, seldom where it
is read. It is looked for there, then by its name beside the parent and in the folders that FINN uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bnnsim.importers.finn.nodes import PARTITION, is_dataflow, kind_of
from bnnsim.importers.onnx.file import load_model
from bnnsim.spec.faults import InputError

FOLDERS = ("", "intermediate_models", "supported_op_partitions", "kernel_partitions")
MOST_LEVELS, MOST_NODES = 8, 20_000


def partitions(model: Any) -> list[Any]:
    """The nodes of a graph that stand for other files."""
    return [n for n in model.graph.node if is_dataflow(n) and kind_of(n.op_type) == PARTITION]


def whole_model(path: Path, model: Any = None) -> Any:
    """The model of a file with all its partitions' nodes in place; ``model``: that file's, if loaded.

    Raises :class:`InputError` where a partition's file is missing, does not fit, or holds itself.
    """
    return joined(load_model(path) if model is None else model, path, {}, (path.resolve(),))


def joined(model: Any, path: Path, chosen: dict[str, Any], above: tuple[Path, ...]) -> Any:
    """``model`` with its partitions in place.

    ``chosen`` gives models by the name of the partition's node; ``above`` are the files that led here.
    """
    inner = partitions(model)
    if not inner:
        return model
    if len(above) > MOST_LEVELS:
        raise InputError(
            str(path), f"partitions at most {MOST_LEVELS} levels deep", str(len(above))
        )
    result = type(model)()
    result.CopyFrom(model)
    del result.graph.node[:]
    for number, node in enumerate(model.graph.node):
        if not (is_dataflow(node) and kind_of(node.op_type) == PARTITION):
            result.graph.node.append(node)
            continue
        place = f"{path}: {node.name or f'{node.op_type}_{number}'}"
        child = chosen.get(str(node.name))
        if child is None:
            file = _file(node, path, place)
            if file.resolve() in above:
                raise InputError(place, "a partition that does not hold itself", file.name)
            child = joined(load_model(file), file, {}, (*above, file.resolve()))
        _insert(result, node, child, place, f"{node.name or number}/")
        if len(result.graph.node) > MOST_NODES:
            raise InputError(str(path), f"at most {MOST_NODES} nodes", str(len(result.graph.node)))
    return result


def _file(node: Any, parent: Path, place: str) -> Path:
    said = next((a.s.decode("utf-8", "replace") for a in node.attribute if a.name == "model"), "")
    if not said:
        raise InputError(place, "the attribute model, a partition's file", "none")
    name = said.replace("\\", "/").rsplit("/", 1)[-1]
    for candidate in _candidates(name, parent.parent):
        if candidate.is_file():
            return candidate
    raise InputError(
        place, f"its partition {name} in {parent.parent} or a folder beside", "nothing there"
    )


def _candidates(name: str, folder: Path) -> Iterator[Path]:
    """Never outside the folder of the parent and the one above it: what a model says is not trusted."""
    for base in (folder, folder.parent):
        for inner in FOLDERS:
            yield base / inner / name


def _insert(result: Any, node: Any, child: Any, place: str, prefix: str) -> None:
    """The child's nodes, its tensors under names of their own but for those at its ends."""
    graph = child.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [v.name for v in graph.input if v.name not in constants]
    outputs = [v.name for v in graph.output]
    if len(inputs) != len(node.input) or len(outputs) != len(node.output):
        expected = f"a partition with {len(node.input)} inputs and {len(node.output)} outputs"
        raise InputError(place, expected, f"{len(inputs)} and {len(outputs)}")
    names = dict(zip([*outputs, *inputs], [*node.output, *node.input], strict=True))

    def name_of(name: str) -> str:
        return names.get(name, f"{prefix}{name}") if name else name

    for inner in graph.node:
        copy = result.graph.node.add()
        copy.CopyFrom(inner)
        copy.input[:] = [name_of(n) for n in inner.input]
        copy.output[:] = [name_of(n) for n in inner.output]
    for tensor in graph.initializer:
        copy = result.graph.initializer.add()
        copy.CopyFrom(tensor)
        copy.name = name_of(tensor.name)
    for annotation in graph.quantization_annotation:
        known = {a.tensor_name for a in result.graph.quantization_annotation}
        if name_of(annotation.tensor_name) not in known:
            copy = result.graph.quantization_annotation.add()
            copy.CopyFrom(annotation)
            copy.tensor_name = name_of(annotation.tensor_name)
    for value in graph.value_info:
        copy = result.graph.value_info.add()
        copy.CopyFrom(value)
        copy.name = name_of(value.name)
    domains = {entry.domain for entry in result.opset_import}
    for entry in child.opset_import:
        if entry.domain not in domains:
            result.opset_import.add().CopyFrom(entry)
