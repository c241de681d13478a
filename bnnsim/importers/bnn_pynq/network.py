"""Trained networks of Xilinx/BNN-PYNQ: CNV and LFC with 1 or 2 bits, and topologies of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.files.boundary import foreign_file
from bnnsim.importers.bnn_pynq.folder import (
    LayerMatrix,
    MatrixSize,
    ParameterFolder,
    Weights,
    decode_layer,
    list_folder,
)
from bnnsim.importers.bnn_pynq.topologies import (
    TOPOLOGIES,
    Precision,
    layer_count,
    matrix_sizes,
    own_topology,
    told_precision,
)
from bnnsim.importers.draft.write import ImportedNetwork, checked_name, write_network
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.faults import Fault, InputError, SpecError
from bnnsim.spec.workload import ConvLayer, Workload

_THRESHOLD_POINT = 8
"""Bits behind the point of thresholds on sums of fixed-point inputs (``ap_fixed<24, 16>``)."""


def import_bnn_pynq(
    folder: str | Path,
    topology: str,
    out_dir: str | Path,
    name: str | None = None,
    *,
    force: bool = False,
) -> ImportedNetwork:
    """Write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir`` from a BNN-PYNQ parameter folder.

    In the .npz: ``<layer>.weights`` uint8 {0, 1}, ``(out, in, kh, kw)`` or ``(out, in)``, 1 meaning
    +1, or int8 of 2 bits; ``<layer>.thresholds`` int32 ``(out,)`` or ``(out, 2)``. A threshold fires on
    ``sum > threshold``, the sum being the popcount of matching bits in W1A1, else the dot product; in
    CNV's first layer the sum of +-pixels in 1/128, whose stored thresholds count 1/256: floor(t / 2) is
    the same rule. Two thresholds a row put out -1, 0 or +1. ``classes.txt``, where the folder has it,
    becomes the workload's ``classes``. Thresholds of CNV's last layer, in folders of 2017, are not used
    by the hardware and passed over.

    Args:
        folder: one such as ``bnn/params/cifar10/cnvW1A1``, ``cnvW1A2``, ``cnvW2A2`` or
            ``mnist/lfcW1A2``; which precision it has its files tell.
        topology: ``cnv`` or ``lfc``, or a workload's file (without weights) for a topology of one's own:
            its conv and linear layers are those of the files.
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
    own = None if topology in TOPOLOGIES else own_topology(str(topology))
    path = Path(folder)
    if not path.is_dir():
        got = "a file" if path.exists() else "nothing there"
        raise InputError(str(path), "a folder of BNN-PYNQ parameters", got)
    with foreign_file(path, "a folder of BNN-PYNQ parameters"):
        return _import(path, topology, own, out_dir, name, force)


def told_topology(folder: Path) -> str:
    """The topology of a parameter folder, told by the number of its layers.

    Raises :class:`InputError` where no topology has so many.
    """
    with foreign_file(folder, "a folder of BNN-PYNQ parameters"):
        count = len(_list(folder).files)
        known = {one: layer_count(one) for one in TOPOLOGIES}
    found = [one for one, layers in known.items() if layers == count]
    if not found:
        expected = " or ".join(f"{layers} layers ({one})" for one, layers in known.items())
        expected += ", or a topology of your own (import bnn-pynq FOLDER --topology WORKLOAD.yaml)"
        raise InputError(str(folder), expected, str(count))
    return found[0]


def _import(
    path: Path, topology: str, own: Workload | None, out_dir: str | Path, name: str | None, force: bool
) -> ImportedNetwork:
    parameters = _list(path)
    precision = Precision()
    if own is None:
        told = matrix_sizes(resolve_network(TOPOLOGIES[topology]("_", precision)))
        precision = told_precision(parameters, told)
    kind = topology if precision.is_binary else f"{topology}{precision}"
    chosen = name or (_default_name(path, kind) if own is None else own.name)
    try:
        checked_name(chosen)
    except InputError as error:
        parameters.faults += error.faults
        chosen = "_"
    made = own or TOPOLOGIES[topology](chosen, precision)
    network = resolve_network(made.model_copy(update={"name": chosen}))
    sizes = matrix_sizes(network)
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
        update={
            "source": f"imported from BNN-PYNQ parameters {_shown(path)}",
            "classes": classes or network.workload.classes,
        }
    )
    return write_network(
        out_dir,
        workload,
        _arrays(network, decoded),
        _comment(f"{topology.upper()} {precision}" if own is None else own.name, decoded),
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
        other = [one for one in TOPOLOGIES if len(found) == layer_count(one)]
        got = f"layers {numbers}"
        near = tuple(f"topology {t}" for t in other if t != topology)
        parameters.faults.append(Fault(str(parameters.path), 0, "", expected, got, near))


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
) -> dict[str, Weights | npt.NDArray[np.int32]]:
    """The decoded layers in the weights file's shapes and rules."""
    arrays: dict[str, Weights | npt.NDArray[np.int32]] = {}
    for layer, matrix in matrices.items():
        node = network.nodes[layer]
        weights = matrix.weights
        if isinstance(node.layer, ConvLayer):
            out, channels, height, width = node.weight_shape
            weights = weights.reshape(out, height, width, channels).transpose(0, 3, 1, 2)
        arrays[f"{layer}.weights"] = weights
        if matrix.thresholds is not None:
            given = node.input.type
            points = max(0, _THRESHOLD_POINT - given.fraction_bits) if given.kind == "fixed" else 0
            arrays[f"{layer}.thresholds"] = matrix.thresholds >> points
    return arrays


def _comment(network: str, matrices: dict[str, LayerMatrix]) -> list[str]:
    folds = (f"{layer} {m.folding.pe} x {m.folding.simd}" for layer, m in matrices.items())
    return [
        f"BNN-PYNQ's {network} with trained weights, as imported.",
        f"PE x SIMD of the imported files: {', '.join(folds)}.",
    ]
