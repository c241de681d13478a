"""What a file is, by its content: models come in many formats, and names mislead."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bnnsim.files.boundary import reason_of
from bnnsim.spec.bounds import MAX_MODEL_BYTES
from bnnsim.spec.faults import InputError

_HEAD_BYTES = 4096
_EXPORT = "export the model itself with torch.onnx.export or brevitas.export.export_qonnx"


@dataclass(frozen=True)
class Format:
    """A format that files of networks have. ``name`` as it reads in a sentence; ``way`` is what its
    owner can do where a command does not read it."""

    name: str
    way: str


ONNX = Format("an ONNX file", "bnnsim import onnx reads it")
KERAS = Format("a Keras file", "bnnsim import keras reads it")
_PYTORCH = Format("a PyTorch checkpoint (weights without the network)", _EXPORT)
_TORCHSCRIPT = Format("a TorchScript archive of PyTorch", _EXPORT)
_PICKLE = Format("a Python pickle (an old PyTorch checkpoint?)", _EXPORT)
_NUMPY = Format("arrays of numpy (weights without the network)", "export the model as ONNX")
_SAFETENSORS = Format("a safetensors file (weights without the network)", _EXPORT)
TFLITE = Format("a TensorFlow Lite model", "bnnsim import FILE reads it")
DABNN = Format("a network of daBNN", "bnnsim import FILE reads it")
_ORT = Format("a model in onnxruntime's own format", "import the .onnx it was made from")
MXNET_PARAMETERS = Format(
    "parameters of MXNet (weights without the network)",
    "bnnsim import FILE reads them with NAME-symbol.json beside NAME-0000.params",
)
MXNET = Format(
    "a network of MXNet without its weights",
    "bnnsim import FILE reads it with NAME-0000.params beside NAME-symbol.json",
)
KERAS_JSON = Format(
    "a Keras model without its weights",
    "bnnsim import FILE reads it with its weights (NAME.weights.h5, NAME.h5) beside NAME.json",
)
BNN_PYNQ = Format("a folder of BNN-PYNQ parameters", "bnnsim import FOLDER reads it")
_TENSORFLOW = Format(
    "a TensorFlow graph", "convert it (python -m tf2onnx.convert), or import the Keras model"
)
_SAVED_MODEL = Format(
    "a TensorFlow SavedModel",
    "convert it (python -m tf2onnx.convert --saved-model), or import the Keras model",
)
_CAFFE = Format("a Caffe network", "convert it to ONNX first")
_PACKED = Format("a compressed file", "unpack it first")
_ZIP = Format("a zip archive of something else", "unpack it first")
FINN = Format("a FINN build", "bnnsim import finn reads it, with its hardware")
FOLDER = Format("a folder", "")
_EXPORTED = Format("an archive of torch.export", _EXPORT)

_MOST_IR_VERSION = 40
_MOST_DABNN_VERSION = 16
_MEMBERS = {
    "constants.pkl": _TORCHSCRIPT,
    "data.pkl": _PYTORCH,
    "archive_format": _EXPORTED,
    "serialized_exported_program.json": _EXPORTED,
    "saved_model.pb": _SAVED_MODEL,
}
"""Files that tell whose archive it is."""

_STARTS: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", KERAS),
    (0, b"\x93NUMPY", _NUMPY),
    (4, b"TFL3", TFLITE),
    (4, b"ORTM", _ORT),
    (0, b"\x12\x01\0\0\0\0\0\0", MXNET_PARAMETERS),
    (0, b"\x1f\x8b", _PACKED),
    (0, b"BZh", _PACKED),
    (0, b"\xfd7zXZ\0", _PACKED),
    (0, b"7z\xbc\xaf", _PACKED),
    (0, b"\x28\xb5\x2f\xfd", _PACKED),
    (0, b"\x80\x02", _PICKLE),
    (0, b"\x80\x03", _PICKLE),
    (0, b"\x80\x04", _PICKLE),
    (0, b"\x80\x05", _PICKLE),
)
"""Where in a file which bytes stand: the formats' own marks."""

_TEXTS: tuple[tuple[tuple[str, ...], Format], ...] = (
    (('"arg_nodes"', '"nodes"'), MXNET),
    (('"nodes"', '"op"', '"inputs"'), MXNET),
    (('"class_name"', '"config"'), KERAS_JSON),
    (("layer {", "bottom:"), _CAFFE),
    (("layers {", "bottom:"), _CAFFE),
    (("node {", "op:"), _TENSORFLOW),
    (("ir_version",), ONNX),
    (("irVersion",), ONNX),
)
"""Words that the tools' texts hold."""


_ENDINGS = {
    ".onnx": ONNX,
    ".h5": KERAS,
    ".hdf5": KERAS,
    ".keras": KERAS,
    ".tflite": TFLITE,
    ".dab": DABNN,
    ".params": MXNET_PARAMETERS,
    "-symbol.json": MXNET,
}
"""Formats that a file's name promises."""


def promised_by(path: Path) -> Format | None:
    """The format that a file's name promises; None where it promises none."""
    return next((one for end, one in _ENDINGS.items() if path.name.endswith(end)), None)


def format_beside(path: Path) -> Format | None:
    """The format of a file that stands in a folder among others.

    Raises :class:`InputError` where it is of no known format though its name promises one: a damaged
    file must not pass for one that does not matter.
    """
    found, promised = format_of(path), promised_by(path)
    if found is None and promised is not None:
        raise InputError(str(path), promised.name, "a file of no known format")
    return found


def format_of(path: Path) -> Format | None:
    """The format of a file or folder by its content; None where nothing gives it away.

    Raises :class:`InputError` where it cannot be read.
    """
    if path.is_dir():
        return _folder(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(str(path), "a readable file", error.strerror or reason_of(error)) from None
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path)
    for start, mark, found in _STARTS:
        if head[start : start + len(mark)] == mark:
            return found
    if _is_safetensors(head, size):
        return _SAFETENSORS
    if is_text(head):
        return _text(head)
    return DABNN if _is_dabnn(path, head, size) else _protocol_buffer(head)


def _folder(path: Path) -> Format:
    if (path / "saved_model.pb").is_file():
        return _SAVED_MODEL
    return BNN_PYNQ if any(path.glob("[0-9]*-[0-9]*-weights.bin")) else FOLDER


def is_text(head: bytes) -> bool:
    """Whether a file that begins like this is text."""
    return bool(head.strip()) and not any(byte < 9 or 13 < byte < 32 for byte in head)


def check_format(path: Path, wanted: Format) -> None:
    """Raises :class:`InputError` where a file is of another format, with what its owner can do."""
    check_readable(path, wanted.name)
    found = format_of(path)
    if found not in (wanted, None):
        way = f": {found.way}" if found.way else ""
        raise InputError(str(path), wanted.name, f"{found.name}{way}")


def check_readable(path: Path, wanted: str) -> None:
    """Raises :class:`InputError` where ``path`` is no file or folder, or a file beyond all bounds."""
    if not path.exists():
        raise InputError(str(path), wanted, "nothing there")
    if not (path.is_file() or path.is_dir()):
        raise InputError(str(path), wanted, "something that is no file")
    if path.is_file() and path.stat().st_size > MAX_MODEL_BYTES:
        expected = f"a file of at most {MAX_MODEL_BYTES:,} bytes"
        raise InputError(str(path), expected, f"{path.stat().st_size:,}")


def _archive(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(str(path), "a whole zip archive", reason_of(error)) from None
    bare = {name.rsplit("/", 1)[-1] for name in names}
    if "config.json" in bare:
        return KERAS
    for member, found in _MEMBERS.items():
        if member in bare:
            return found
    return _NUMPY if names and all(name.endswith(".npy") for name in names) else _ZIP


def _is_safetensors(head: bytes, size: int) -> bool:
    """The length of a JSON header in 8 bytes, then the header."""
    length = int.from_bytes(head[:8], "little")
    return 2 <= length <= size - 8 and head[8:10] == b'{"'


def _is_dabnn(path: Path, head: bytes, size: int) -> bool:
    """FlatBuffers without a mark: a table of three lists (layers, tensors, inputs) and a version. The
    list of its fields may stand anywhere, since tables with the same fields share one."""
    root = int.from_bytes(head[:4], "little")
    if root % 4 or not 4 <= root <= min(len(head), size) - 20:
        return False
    fields = root - int.from_bytes(head[root : root + 4], "little", signed=True)
    if not 4 <= fields <= size - 12:
        return False
    with path.open("rb") as file:
        file.seek(fields)
        index = struct.unpack("<6H", file.read(12))
    is_table = index[0] == 2 * len(index) and 20 <= index[1] <= 24
    if not is_table or not all(4 <= at <= 20 for at in index[2:]):
        return False
    layers, _, inputs, version = (
        int.from_bytes(head[root + at : root + at + 4], "little") for at in index[2:]
    )
    starts = (root + index[2] + layers, root + index[4] + inputs)
    return all(one <= size - 4 for one in starts) and 1 <= version <= _MOST_DABNN_VERSION


def _text(head: bytes) -> Format | None:
    text = head.decode("utf-8", "replace")
    for words, found in _TEXTS:
        if all(word in text for word in words):
            return found
    return None


def _protocol_buffer(head: bytes) -> Format | None:
    """Messages have no mark, but fields in order: ONNX begins with the number of its version.

    So does a SavedModel, whose next field holds messages where ONNX's holds a tool's name; a graph of
    TensorFlow begins with a node, which begins with its name.
    """
    if head[:3] == b"\x08\x01\x12" and _behind_number(head, 3) == b"\n":
        return _SAVED_MODEL
    if head[:1] == b"\x08" and 1 <= int.from_bytes(head[1:2]) <= _MOST_IR_VERSION:
        return ONNX
    return _TENSORFLOW if head[:1] == b"\n" and _behind_number(head, 1) == b"\n" else None


def _behind_number(head: bytes, start: int) -> bytes:
    """The byte behind a variable-length number."""
    while start < len(head) and head[start] & 0x80:
        start += 1
    return head[start + 1 : start + 2]
