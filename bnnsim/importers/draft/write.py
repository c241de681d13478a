"""Writing an imported network: its workload (.yaml) and its weights (.npz), whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from bnnsim.design.network.network import resolve_network
from bnnsim.files.archive import npz_bytes
from bnnsim.files.whole import replace_files
from bnnsim.functional.layers.scaled_layers import is_scaled, scaled_parameters
from bnnsim.importers.draft.workload_text import workload_text
from bnnsim.spec.bounds import MAX_NAME
from bnnsim.spec.faults import InputError
from bnnsim.spec.workload import WeightedLayer, Workload

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class LayerFolding:
    """How the imported files had spread a layer's matrix over hardware.

    ``pe`` rows at once, ``simd`` columns at once. ``rows_stored`` is less than the matrix height
    where the files left out padded rows.
    """

    pe: int
    simd: int
    rows_stored: int


@dataclass(frozen=True, repr=False)
class ImportedNetwork:
    """A network that an importer has written.

    ``folding`` maps layer names to the folding of the imported files, where those tell it.
    """

    workload: Workload
    workload_path: Path
    weights_path: Path
    folding: Mapping[str, LayerFolding] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know, such as error bounds of fixed-point layers; also the file's comment."""

    def __repr__(self) -> str:
        layers = len(self.workload.layers)
        return f"<ImportedNetwork {self.workload.name}: {layers} layers in {self.workload_path}>"


def write_network(
    out_dir: str | Path,
    workload: Workload,
    arrays: Arrays,
    comment: Sequence[str] = (),
    folding: Mapping[str, LayerFolding] | None = None,
    *,
    force: bool = False,
) -> ImportedNetwork:
    """Write ``<name>.yaml`` and ``<name>.npz`` into ``out_dir``, which is made if needed.

    ``arrays`` holds ``<layer>.weights`` (shape of ``Node.weight_shape``) and
    ``<layer>.thresholds`` (int32, ``(out,)`` or ``(out, thresholds)``). The same network gives the
    same bytes. Existing files of that name that hold something else (an edit by hand, another
    network) are replaced only with ``force``; both or (where the disk fails) none of them half.

    Raises :class:`SpecError` where the workload's shapes do not fit together,
    :class:`InputError` where files would be replaced without ``force`` or the folder cannot be
    written, ``ValueError`` where ``arrays`` does not
    belong to the workload (a mistake of the importer, not of its user).
    """
    folder = Path(out_dir)
    weights_path = folder / f"{workload.name}.npz"
    workload_path = folder / f"{workload.name}.yaml"
    complete = workload.model_copy(update={"weights": weights_path.name})
    _check_arrays(complete, arrays)
    contents = {
        weights_path: npz_bytes(arrays),  # first, so that a workload never lacks its weights
        workload_path: workload_text(complete, comment).encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not force:
            _refuse_to_replace(contents)
        replace_files(contents)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(str(folder), "a folder that can be written", reason) from None
    return ImportedNetwork(complete, workload_path, weights_path, dict(folding or {}), tuple(comment))


def checked_name(name: str) -> str:
    """A name that the user chose. Raises :class:`InputError` where a workload cannot have it."""
    if not re.fullmatch(rf"[A-Za-z_][A-Za-z0-9_.\-]{{0,{MAX_NAME - 1}}}", name):
        expected = f"a name of at most {MAX_NAME} letters, digits, _ . - that starts with a letter"
        raise InputError("name", expected, repr(name))
    return name


def _refuse_to_replace(contents: Mapping[Path, bytes]) -> None:
    """Raises :class:`InputError` where a file is there that holds something else."""
    for path, content in reversed(
        list(contents.items())
    ):  # the workload is what a user would have edited
        if path.exists() and path.read_bytes() != content:
            raise InputError(
                str(path), "no file of this name, or --force to replace it", "one that differs"
            )


def _check_arrays(workload: Workload, arrays: Arrays) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    for node in resolve_network(workload).nodes.values():
        if isinstance(node.layer, WeightedLayer) and not is_scaled(node):
            expected[f"{node.name}.weights"] = node.weight_shape
        for key, (size, _) in scaled_parameters(node).items():
            expected[f"{node.name}.{key}"] = size
        if node.threshold_count:
            shape = (node.output.channels, node.threshold_count)
            expected[f"{node.name}.thresholds"] = shape[:1] if shape[1] == 1 else shape
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        wrong = sorted(found.items() ^ expected.items())
        raise ValueError(f"arrays that do not belong to {workload.name}: {wrong}")
