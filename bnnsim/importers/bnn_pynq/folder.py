"""BNN-PYNQ's parameter folders: one file for each layer, PE and kind of memory.

``L-p-weights.bin`` holds NF * SF little-endian uint64 words: bit s of word nf * SF + sf is row
nf * PE + p, column sf * SIMD + s of layer L's matrix. ``L-p-thres.bin`` holds NF int64.
PE, SIMD, NF = rows / PE and SF = columns / SIMD are not stored: PE is the number of files, SIMD
follows from their size. The files of the last layer may end after the rows of the classes
(rounded up to whole neuron folds); the loader in ``foldedmv-offload.cpp`` reads zeros from there.
Format: Xilinx/BNN-PYNQ, ``bnn/src/training/finnthesizer.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bnnsim.importers.draft.write import LayerFolding
from bnnsim.spec.faults import Fault, divisors_of

NEVER_FIRES = 32767
"""Threshold of a row that the files left out: above every sum of the networks, as in the files'
own padded rows."""
WORD_BITS = 64
_FILE_NAME = re.compile(r"(0|[1-9][0-9]*)-(0|[1-9][0-9]*)-(weights|thres)\.bin")
_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True)
class MatrixSize:
    """What the topology says of a layer: its matrix and whether thresholds follow."""

    name: str
    rows: int
    columns: int
    has_thresholds: bool


@dataclass(frozen=True)
class LayerMatrix:
    """A decoded layer.

    ``weights`` is uint8 {0, 1} ``(rows, columns)``, 1 meaning +1; ``thresholds`` int32 ``(rows,)``
    as stored, None where the layer has none.
    """

    weights: npt.NDArray[np.uint8]
    thresholds: npt.NDArray[np.int32] | None
    folding: LayerFolding


@dataclass
class ParameterFolder:
    """The parameter files of a folder by layer, kind (``weights``, ``thres``) and PE.

    ``faults`` gathers what is wrong with them, while they are listed and decoded.
    """

    path: Path
    files: dict[int, dict[str, dict[int, Path]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, name: str, expected: str, got: str, near: Sequence[str] = ()) -> None:
        self.faults.append(Fault(str(self.path / name), 0, "", expected, got, tuple(near)))


def list_folder(path: Path) -> ParameterFolder:
    """Sort the files of an existing folder; files that are no parameter files are passed over."""
    folder = ParameterFolder(path)
    for entry in sorted(path.iterdir()):
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            layer = folder.files.setdefault(int(match[1]), {"weights": {}, "thres": {}})
            layer[match[3]][int(match[2])] = entry
        elif entry.suffix == ".bin":
            expected = "a name LAYER-PE-weights.bin or LAYER-PE-thres.bin"
            folder.fault(entry.name, expected, repr(entry.name))
    return folder


def decode_layer(
    folder: ParameterFolder, index: int, size: MatrixSize, last_layer_classes: int | None = None
) -> LayerMatrix | None:
    """Decode layer ``index``; None where ``folder.faults`` gained entries.

    ``last_layer_classes`` is given for the last layer alone: the number of classes, or 0 where it
    is not known; it decides where short files may end.
    """
    files = folder.files[index]
    before = len(folder.faults)
    pes = _pe_count(files["weights"] or files["thres"], size.rows)
    weight_words = _read_kind(folder, index, "weights", pes, size.rows)
    threshold_words = None
    if size.has_thresholds:
        threshold_words = _read_kind(folder, index, "thres", pes, size.rows)
    neuron_folds = size.rows // pes
    stored_folds = {neuron_folds}
    if last_layer_classes:
        stored_folds.add(min(neuron_folds, -(-last_layer_classes // pes)))
    thresholds = None
    if threshold_words is not None:
        values = threshold_words.view(np.int64)
        thresholds = _thresholds(folder, index, values, stored_folds, neuron_folds)
    decoded = None
    if weight_words is not None:
        decoded = _weights(folder, index, weight_words, stored_folds, size)
    if len(folder.faults) > before or decoded is None:
        return None
    weights, folding = decoded
    return LayerMatrix(weights, thresholds, folding)


def _pe_count(files: dict[int, Path], rows: int) -> int:
    """The divisor of ``rows`` that leaves the fewest PE numbers missing or too many."""

    def misfits(pes: int) -> int:
        return len(files.keys() ^ set(range(pes)))

    return min(reversed(divisors_of(rows)), key=misfits)


def _read_kind(
    folder: ParameterFolder, index: int, kind: str, pes: int, rows: int
) -> npt.NDArray[np.uint64] | None:
    """All files of one kind as an array (PE, word); None where they do not make one."""
    files = folder.files[index][kind]
    before = len(folder.faults)
    for pe in sorted(set(range(pes)) - files.keys()):
        expected = f"a file for each of {pes} PEs ({rows} rows)"
        folder.fault(f"{index}-{pe}-{kind}.bin", expected, "nothing there")
    for pe in sorted(files.keys() - set(range(pes))):
        expected = f"PE numbers 0 to {pes - 1} ({pes} PEs for {rows} rows)"
        folder.fault(files[pe].name, expected, f"PE {pe}")
    contents: dict[int, bytes] = {}
    for pe in sorted(files.keys() & set(range(pes))):
        try:
            contents[pe] = files[pe].read_bytes()
        except OSError as error:
            folder.fault(files[pe].name, "a readable file", error.strerror or str(error))
    lengths = Counter(len(c) for c in contents.values() if len(c) % 8 == 0)
    usual = max(lengths, key=lambda length: (lengths[length], length), default=0)
    for pe, content in contents.items():
        if not content or len(content) % 8:
            folder.fault(files[pe].name, "whole words of 8 bytes", f"{len(content)} bytes")
        elif len(content) != usual:
            expected = f"{usual} bytes, as most files of layer {index}"
            folder.fault(files[pe].name, expected, f"{len(content)} bytes")
    if len(folder.faults) > before:
        return None
    words = [np.frombuffer(contents[pe], "<u8") for pe in range(pes)]
    return np.stack(words).astype(np.uint64)


def _thresholds(
    folder: ParameterFolder,
    index: int,
    words: npt.NDArray[np.int64],
    stored_folds: set[int],
    neuron_folds: int,
) -> npt.NDArray[np.int32] | None:
    pes, folds = words.shape
    if folds not in stored_folds:
        lengths = " or ".join(str(8 * n) for n in sorted(stored_folds, reverse=True))
        expected = f"{lengths} bytes (an int64 a row: {_rows_text(stored_folds, pes)})"
        folder.fault(_name(index, "thres", pes), expected, f"{8 * folds} bytes")
        return None
    for pe, fold in np.argwhere((words < _INT32.min) | (words > _INT32.max)):
        expected = "thresholds within 32 bits"
        folder.fault(f"{index}-{pe}-thres.bin", expected, f"{words[pe, fold]} at word {fold}")
    full = np.full((neuron_folds, pes), NEVER_FIRES, np.int32)
    full[:folds] = words.T.clip(_INT32.min, _INT32.max)
    return full.reshape(-1)


def _weights(
    folder: ParameterFolder,
    index: int,
    words: npt.NDArray[np.uint64],
    stored_folds: set[int],
    size: MatrixSize,
) -> tuple[npt.NDArray[np.uint8], LayerFolding] | None:
    pes, count = words.shape
    used_bits = int(np.bitwise_or.reduce(words, axis=None)).bit_length()
    foldings = [
        (simd, folds)
        for folds in stored_folds
        for simd in divisors_of(size.columns)
        if simd <= WORD_BITS and folds * (size.columns // simd) == count
    ]
    if not foldings:
        _fault_no_folding(folder, index, pes, count, stored_folds, size)
        return None
    # Two foldings can have one file size where rows may be missing: the bits in use decide.
    simd, folds = min((f for f in foldings if f[0] >= used_bits), default=max(foldings))
    for pe in range(pes):
        over = np.flatnonzero(words[pe] > ((1 << simd) - 1))
        if over.size:
            bit = int(words[pe, over[0]]).bit_length() - 1
            expected = f"zeros above the {simd} bits of SIMD {simd} ({count} words a file)"
            folder.fault(f"{index}-{pe}-weights.bin", expected, f"bit {bit} set in word {over[0]}")
    octets = words.astype("<u8").view(np.uint8).reshape(pes, count, 8)
    bits = np.unpackbits(octets, axis=2, bitorder="little")[:, :, :simd]
    by_fold = bits.reshape(pes, folds, size.columns).transpose(1, 0, 2)
    matrix = np.zeros((size.rows, size.columns), np.uint8)
    matrix[: folds * pes] = by_fold.reshape(folds * pes, size.columns)
    return matrix, LayerFolding(pes, simd, folds * pes)


def _fault_no_folding(
    folder: ParameterFolder,
    index: int,
    pes: int,
    count: int,
    stored_folds: set[int],
    size: MatrixSize,
) -> None:
    lengths = sorted(
        8 * folds * (size.columns // simd)
        for folds in stored_folds
        for simd in divisors_of(size.columns)
        if simd <= WORD_BITS
    )
    length = 8 * count
    near = [s for s in lengths if s < length][-1:] + [s for s in lengths if s > length][:1]
    expected = (
        f"8 * rows / {pes} * {size.columns} / SIMD bytes for a whole SIMD <= {WORD_BITS}"
        f" ({_rows_text(stored_folds, pes)})"
    )
    near_text = [f"{s} bytes" for s in near]
    folder.fault(_name(index, "weights", pes), expected, f"{length} bytes", near_text)


def _rows_text(stored_folds: set[int], pes: int) -> str:
    rows = " or ".join(str(n * pes) for n in sorted(stored_folds, reverse=True))
    return f"{rows} rows on {pes} PEs"


def _name(index: int, kind: str, pes: int) -> str:
    """The files of a layer that are all of one wrong size, as a message names them."""
    return f"{index}-0-{kind}.bin" + (f" (and {pes - 1} like it)" if pes > 1 else "")
