"""Trained networks of Xilinx/BNN-PYNQ: CNV and LFC with binary weights and activations (W1A1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.files.boundary import foreign_file
from bnnsim.importers.bnn_pynq.folder import (
    LayerMatrix,
    MatrixSize,
    ParameterFolder,
    decode_layer,
    list_folder,
)
from bnnsim.importers.draft.write import ImportedNetwork, checked_name, write_network
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.faults import Fault, InputError, SpecError, near_names
from bnnsim.spec.workload import ConvLayer, WeightedLayer, Workload

Topology = Literal["cnv", "lfc"]


def import_bnn_pynq(
    folder: str | Path,
    topology: Topology,
    out_dir: str | Path,
    name: str | None = None,
    *,
    force: bool = False,
) -> ImportedNetwork:
    """Write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir`` from a BNN-PYNQ parameter folder.

    In the .npz: ``<layer>.weights`` uint8 {0, 1}, ``(out, in, kh, kw)`` or ``(out, in)``, 1 meaning
    +1; ``<layer>.thresholds`` int32 ``(out,)``. A layer's bit fires on ``sum > threshold``, the sum
    being the popcount of matching bits; in CNV's first layer the sum of +-pixels in 1/128, whose stored
    thresholds count 1/256: floor(t / 2) is the same rule. ``classes.txt``, where the folder has it,
    becomes the workload's ``classes``. Thresholds of CNV's last layer, in folders of 2017, are not used
    by the hardware and passed over.

    Args:
        folder: one such as ``bnn/params/cifar10/cnvW1A1``; the networks with 2-bit weights or
            activations (W1A2, W2A2) are not read.
        topology: ``cnv`` or ``lfc``.
        out_dir: where workload and weights go.
        name: the workload's name; default: the topology and the data set (``cnv-cifar10``).
        force: replace files of that name that hold something else.

    Returns:
        The workload, the files, and the folding of the files' layers.

    Raises:
        SpecError: every fault of the folder; nothing is written then.

    Example:
        >>> from bnnsim import import_bnn_pynq, simulate
        >>> imported = import_bnn_pynq("cifar10/cnvW1A1", "cnv", "networks")
        >>> simulate("pynq-cnv", imported.workload_path, images=["deer.npz"]).predictions
        (4,)
    """
    if topology not in _TOPOLOGIES:
        known = get_args(Topology)
        near = near_names(str(topology), known)
        raise InputError("topology", " or ".join(known), repr(topology), near)
    path = Path(folder)
    if not path.is_dir():
        got = "a file" if path.exists() else "nothing there"
        raise InputError(str(path), "a folder of BNN-PYNQ parameters", got)
    chosen = name if name is not None else _default_name(path, topology)
    with foreign_file(path, "a folder of BNN-PYNQ parameters"):
        return _import(path, topology, out_dir, chosen, force)


def told_topology(folder: Path) -> Topology:
    """The topology of a parameter folder, told by the number of its layers.

    Raises :class:`InputError` where no topology has so many.
    """
    with foreign_file(folder, "a folder of BNN-PYNQ parameters"):
        count = len(_list(folder).files)
        known: dict[Topology, int] = {one: _layer_count(one) for one in get_args(Topology)}
    found = [one for one, layers in known.items() if layers == count]
    if not found:
        expected = " or ".join(f"{layers} layers ({one})" for one, layers in known.items())
        raise InputError(str(folder), expected, str(count))
    return found[0]


def _import(
    path: Path, topology: Topology, out_dir: str | Path, chosen: str, force: bool
) -> ImportedNetwork:
    parameters = _list(path)
    try:
        network = resolve_network(_TOPOLOGIES[topology](checked_name(chosen)))
    except InputError as error:
        parameters.faults += error.faults
        network = resolve_network(_TOPOLOGIES[topology]("_"))
    sizes = _matrix_sizes(network)
    _check_layers(parameters, topology, sizes)
    classes = _read_classes(parameters, sizes[-1].rows)
    last = len(sizes) - 1
    matrices = {
        size.name: decode_layer(parameters, index, size, len(classes or ()) if index == last else None)
        for index, size in enumerate(sizes)
        if index in parameters.files
    }
    if parameters.faults:
        raise SpecError(parameters.faults)
    decoded = {layer: matrix for layer, matrix in matrices.items() if matrix is not None}
    workload = network.workload.model_copy(
        update={"source": f"imported from BNN-PYNQ parameters {_shown(path)}", "classes": classes}
    )
    return write_network(
        out_dir,
        workload,
        _arrays(network, decoded),
        _comment(topology, decoded),
        {layer: matrix.folding for layer, matrix in decoded.items()},
        force=force,
    )


def _list(path: Path) -> ParameterFolder:
    try:
        return list_folder(path)
    except OSError as error:
        raise InputError(str(path), "a readable folder", error.strerror or str(error)) from None


def _default_name(path: Path, topology: str) -> str:
    full = path.resolve()
    is_network = re.fullmatch(r"(cnv|lfc)[-A-Z].*", full.name)
    dataset = full.parent.name if is_network else full.name
    return f"{topology}-{re.sub(r'[^A-Za-z0-9_.-]', '-', dataset)}"[:MAX_NAME].rstrip("-")


def _shown(path: Path) -> str:
    """The folder's last two names: the same wherever it lies."""
    return "/".join(path.resolve().parts[-2:])


def _matrix_sizes(network: Network) -> list[MatrixSize]:
    return [
        MatrixSize(node.name, node.matrix_height, node.matrix_width, node.threshold_count > 0)
        for node in network.nodes.values()
        if isinstance(node.layer, WeightedLayer)
    ]


def _check_layers(parameters: ParameterFolder, topology: str, sizes: list[MatrixSize]) -> None:
    count = len(sizes)
    found = sorted(parameters.files)
    if not found:
        parameters.faults.append(
            Fault(
                str(parameters.path),
                0,
                "",
                f"files LAYER-PE-weights.bin and LAYER-PE-thres.bin of {count} layers",
                "none",
            )
        )
        return
    if found != list(range(count)):
        numbers = ", ".join(map(str, found))
        expected = f"the layers 0 to {count - 1} of topology {topology}"
        other = [t for t in _TOPOLOGIES if len(found) == _layer_count(t)]
        got = f"layers {numbers}"
        near = tuple(f"topology {t}" for t in other if t != topology)
        parameters.faults.append(Fault(str(parameters.path), 0, "", expected, got, near))


def _layer_count(topology: str) -> int:
    return len(_matrix_sizes(resolve_network(_TOPOLOGIES[topology]("_"))))


def _read_classes(parameters: ParameterFolder, rows: int) -> list[str] | None:
    path = parameters.path / "classes.txt"
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        parameters.fault(path.name, "a readable UTF-8 text file", str(error))
        return None
    classes = [line.strip() for line in text.rstrip().splitlines()]
    if not classes:
        parameters.fault(path.name, "one class a line", "an empty file")
    if "" in classes:
        parameters.fault(path.name, "one class a line", f"an empty line {classes.index('') + 1}")
    if len(classes) > rows:
        parameters.fault(path.name, f"at most {rows} classes", str(len(classes)))
    return classes


def _arrays(
    network: Network, matrices: dict[str, LayerMatrix]
) -> dict[str, npt.NDArray[np.uint8] | npt.NDArray[np.int32]]:
    """The decoded layers in the weights file's shapes and rules."""
    arrays: dict[str, npt.NDArray[np.uint8] | npt.NDArray[np.int32]] = {}
    for layer, matrix in matrices.items():
        node = network.nodes[layer]
        weights = matrix.weights
        if isinstance(node.layer, ConvLayer):
            out, channels, height, width = node.weight_shape
            weights = weights.reshape(out, height, width, channels).transpose(0, 3, 1, 2)
        arrays[f"{layer}.weights"] = weights
        if matrix.thresholds is not None:
            counts_halves = not node.input.type.is_bipolar
            thresholds = matrix.thresholds >> 1 if counts_halves else matrix.thresholds
            arrays[f"{layer}.thresholds"] = thresholds
    return arrays


def _comment(topology: str, matrices: dict[str, LayerMatrix]) -> list[str]:
    folds = (f"{layer} {m.folding.pe} x {m.folding.simd}" for layer, m in matrices.items())
    return [
        f"BNN-PYNQ's {topology.upper()} W1A1 with trained weights, as imported.",
        f"PE x SIMD of the imported files: {', '.join(folds)}.",
    ]


def _binary(accumulator: str = "popcount") -> dict[str, Any]:
    return {"accumulator": accumulator, "activation": {"type": "bipolar", "compare": ">"}}


def _cnv(name: str) -> Workload:
    """3x3 convolutions without padding, max pools, fully connected layers; no thresholds last."""

    def conv(layer: str, out: int, accumulator: str = "popcount") -> dict[str, Any]:
        return {"name": layer, "op": "conv", "out": out, "kernel": 3, **_binary(accumulator)}

    def pool(layer: str) -> dict[str, Any]:
        return {"name": layer, "op": "max_pool", "kernel": 2}

    return Workload.model_validate(
        {
            "name": name,
            "input": {"shape": [3, 32, 32], "type": "fixed8.7", "image_range": [-1.0, 1.0]},
            "layers": [
                conv("conv0", 64, "dot"),
                conv("conv1", 64),
                pool("pool1"),
                conv("conv2", 128),
                conv("conv3", 128),
                pool("pool3"),
                conv("conv4", 256),
                conv("conv5", 256),
                {"name": "fc0", "op": "linear", "out": 512, **_binary()},
                {"name": "fc1", "op": "linear", "out": 512, **_binary()},
                {"name": "fc2", "op": "linear", "out": 64, "accumulator": "popcount"},
            ],
        }
    )


def _lfc(name: str) -> Workload:
    """Four fully connected layers; the last has thresholds too: a bit a class.

    784 input bits are padded with zeros to 832 (13 words of 64), which the weights know.
    """
    return Workload.model_validate(
        {
            "name": name,
            "input": {
                "shape": [784],
                "type": "bipolar",
                "image_range": [-1.0, 1.0],
                "pad_to": 832,
                "pad_value": -1,
            },
            "layers": [
                {"name": f"fc{i}", "op": "linear", "out": out, **_binary()}
                for i, out in enumerate((1024, 1024, 1024, 64))
            ],
        }
    )


_TOPOLOGIES: dict[str, Callable[[str], Workload]] = {"cnv": _cnv, "lfc": _lfc}
