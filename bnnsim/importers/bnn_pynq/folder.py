"""BNN-PYNQ's parameter folders: one file for each layer, PE and kind of memory.

``L-p-weights.bin`` holds NF * SF little-endian uint64 words: bit s of word nf * SF + sf is row
nf * PE + p, column sf * SIMD + s of layer L's matrix. Weights of B > 1 bits are two's complement
integers, B bits a column. ``L-p-thres.bin`` holds NF int64, or as many for each threshold of a row, a
row's side by side.
PE, SIMD, NF = rows / PE and SF = columns / SIMD are not stored: PE is the number of files, SIMD
follows from their size. The files of the last layer may end after the rows of the classes
(rounded up to whole neuron folds); the loader in ``foldedmv-offload.cpp`` reads zeros from there.
Format: Xilinx/BNN-PYNQ, ``bnn/src/training/finnthesizer.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
Weights = npt.NDArray[np.integer[Any]]
"""uint8 {0, 1}, or int8."""


@dataclass(frozen=True)
class MatrixSize:
    """What the topology says of a layer: its matrix and whether thresholds follow."""

    name: str
    rows: int
    columns: int
    thresholds: int
    """Thresholds a row; 0 where the sums leave the layer."""
    weight_bits: int = 1


@dataclass(frozen=True)
class LayerMatrix:
    """A decoded layer.

    ``weights`` is uint8 {0, 1} ``(rows, columns)``, 1 meaning +1, or int8 where they have more bits;
    ``thresholds`` int32 ``(rows,)`` as stored, or ``(rows, thresholds)`` in rising order, None where the
    layer has none.
    """

    weights: Weights
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
    weight_words = _read_kind(folder, index, "weights", pes, size)
    threshold_words = None
    if size.thresholds:
        threshold_words = _read_kind(folder, index, "thres", pes, size)
    neuron_folds = size.rows // pes
    stored_folds = {neuron_folds}
    if last_layer_classes:
        stored_folds.add(min(neuron_folds, -(-last_layer_classes // pes)))
    thresholds = None
    if threshold_words is not None:
        values = threshold_words.view(np.int64)
        thresholds = _thresholds(folder, index, values, stored_folds, size)
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


def stored_words(
    folder: ParameterFolder, index: int, size: MatrixSize
) -> tuple[int, dict[str, int]]:
    """PEs of a layer and words in its first file of each kind; 0 where there is none."""
    files = folder.files.get(index)
    if files is None or not (files["weights"] or files["thres"]):
        return 0, {}
    words = dict.fromkeys(files, 0)
    for kind, found in files.items():
        if found:
            with suppress(OSError):
                words[kind] = found[min(found)].stat().st_size // 8
    return _pe_count(files["weights"] or files["thres"], size.rows), words


def highest_bit(folder: ParameterFolder, index: int) -> int:
    """How many low bits of a layer's weight words are in use."""
    path = folder.files[index]["weights"]
    with suppress(OSError, ValueError):
        content = path[min(path)].read_bytes()
        return int(np.bitwise_or.reduce(np.frombuffer(content, "<u8"), initial=0)).bit_length()
    return 0


def _read_kind(
    folder: ParameterFolder, index: int, kind: str, pes: int, size: MatrixSize
) -> npt.NDArray[np.uint64] | None:
    """All files of one kind as an array (PE, word); None where they do not make one."""
    files, rows = folder.files[index][kind], size.rows
    most = 8 * rows * max(size.columns, size.thresholds)
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
            stored = files[pe].stat().st_size
            if stored > most:
                folder.fault(files[pe].name, f"at most {most} bytes", f"{stored} bytes")
                continue
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
    size: MatrixSize,
) -> npt.NDArray[np.int32] | None:
    pes, count = words.shape
    folds, rest = divmod(count, size.thresholds)
    if rest or folds not in stored_folds:
        lengths = " or ".join(str(8 * size.thresholds * n) for n in sorted(stored_folds, reverse=True))
        each = "an int64" if size.thresholds == 1 else f"{size.thresholds} int64"
        expected = f"{lengths} bytes ({each} a row: {_rows_text(stored_folds, pes)})"
        folder.fault(_name(index, "thres", pes), expected, f"{8 * count} bytes")
        return None
    for pe, fold in np.argwhere((words < _INT32.min) | (words > _INT32.max)):
        expected = "thresholds within 32 bits"
        folder.fault(f"{index}-{pe}-thres.bin", expected, f"{words[pe, fold]} at word {fold}")
    full = np.full((size.rows // pes, pes, size.thresholds), NEVER_FIRES, np.int32)
    limited = words.clip(_INT32.min, _INT32.max).reshape(pes, folds, size.thresholds)
    full[:folds] = np.sort(limited, axis=2).transpose(1, 0, 2)
    rows = full.reshape(size.rows, size.thresholds)
    return rows[:, 0] if size.thresholds == 1 else rows


def _weights(
    folder: ParameterFolder,
    index: int,
    words: npt.NDArray[np.uint64],
    stored_folds: set[int],
    size: MatrixSize,
) -> tuple[Weights, LayerFolding] | None:
    pes, count = words.shape
    width = size.weight_bits
    used_bits = int(np.bitwise_or.reduce(words, axis=None)).bit_length()
    foldings = [
        (simd, folds)
        for folds in stored_folds
        for simd in divisors_of(size.columns)
        if simd * width <= WORD_BITS and folds * (size.columns // simd) == count
    ]
    if not foldings:
        _fault_no_folding(folder, index, pes, count, stored_folds, size)
        return None
    # Two foldings can have one file size where rows may be missing: the bits in use decide.
    simd, folds = min((f for f in foldings if f[0] * width >= used_bits), default=max(foldings))
    for pe in range(pes):
        over = np.flatnonzero(words[pe] > ((1 << simd * width) - 1))
        if over.size:
            bit = int(words[pe, over[0]]).bit_length() - 1
            expected = f"zeros above the {simd * width} bits of SIMD {simd} ({count} words a file)"
            folder.fault(f"{index}-{pe}-weights.bin", expected, f"bit {bit} set in word {over[0]}")
    octets = words.astype("<u8").view(np.uint8).reshape(pes, count, 8)
    bits = np.unpackbits(octets, axis=2, bitorder="little")[:, :, : simd * width]
    values = bits if width == 1 else _twos_complement(bits.reshape(-1, width))
    by_fold = values.reshape(pes, folds, size.columns).transpose(1, 0, 2)
    matrix = np.zeros((size.rows, size.columns), np.uint8 if width == 1 else np.int8)
    matrix[: folds * pes] = by_fold.reshape(folds * pes, size.columns)
    return matrix, LayerFolding(pes, simd, folds * pes)


def _twos_complement(bits: npt.NDArray[np.uint8]) -> Weights:
    """``(n, width)``, lowest bit first, as integers."""
    places = 1 << np.arange(bits.shape[1])
    places[-1] *= -1
    return np.asarray(bits @ places, np.int8)


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
        if simd * size.weight_bits <= WORD_BITS
    )
    length = 8 * count
    near = [s for s in lengths if s < length][-1:] + [s for s in lengths if s > length][:1]
    most = WORD_BITS // size.weight_bits
    expected = (
        f"8 * rows / {pes} * {size.columns} / SIMD bytes for a whole SIMD <= {most}"
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
