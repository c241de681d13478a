"""FINN's nodes under one name whatever their age: ``StreamingFCLayer_Batch`` of 2020,
``MatrixVectorActivation`` of 2022 and ``MVAU_hls`` of 2024 are one kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bnnsim.spec.faults import InputError
from bnnsim.spec.streaming.hardware import MAX_SUM_BITS

Library = Literal["hls", "rtl", ""]
DATAFLOW = "finn.custom_op.fpgadataflow"
DEFAULT_SUM = "INT32"
"""FINN's ``accDataType`` where a node has none."""
_WHOLE = re.compile(r"U?INT(\d{1,4})")
_NOT_WHOLE = re.compile(r"FLOAT|FIXED|SCALEDINT")
_OLDEST = "finn"
"""The one domain of all of FINN's operators until 2020."""
_SUFFIX = re.compile(r"(_Batch)?(_hls|_rtl)?$")
_OLDER_NAMES = {
    "StreamingFCLayer": "MVAU",
    "MatrixVectorActivation": "MVAU",
    "Vector_Vector_Activate": "VVAU",
    "VectorVectorActivation": "VVAU",
    "ConvolutionInputGenerator1D": "ConvolutionInputGenerator",
    "ConvolutionInputGenerator_MMV": "ConvolutionInputGenerator",
    "StreamingEltwiseAdd": "AddStreams",
    "Concat": "StreamingConcat",
    "GenericPartition": "StreamingDataflowPartition",
}
PASSING = (
    *(
        "StreamingDataWidthConverter",
        "StreamingFIFO",
        "TLastMarker",
        "IODMA",
        "CheckSum",
        "checksum",
    ),
    *("Squeeze", "Unsqueeze"),
)
"""Units that hand on every number as it is."""
COMPUTING = (
    *("MVAU", "VVAU", "ConvolutionInputGenerator", "FMPadding", "Thresholding", "StreamingMaxPool"),
    *(
        "Pool",
        "GlobalAccPool",
        "AddStreams",
        "DuplicateStreams",
        "ReplicateStream",
        "ChannelwiseOp",
    ),
    *("StreamingConcat", "LabelSelect", "ElementwiseAdd", "ElementwiseMul", "ElementwiseSub"),
)
"""Units that are read, beside those that pass numbers on."""
FRONT_END = ("Im2Col", "MaxPoolNHWC", "QuantAvgPool2d")
"""Operators of FINN's streamlined graphs, before hardware is chosen."""
PARTITION = "StreamingDataflowPartition"


@dataclass(frozen=True)
class DataflowNode:
    """One node: ``kind`` is today's name without its library, ``op_type`` what the file says.

    ``name`` is the file's, or the one that FINN would give (its type and a number). Attributes are
    numbers, texts, or tuples of numbers.
    """

    kind: str
    op_type: str
    name: str
    library: Library
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    place: str

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this node."""
        return InputError(f"{self.place} ({self.op_type})", expected, str(got))

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number. Raises :class:`InputError` where it is none, or missing without a default."""
        value = self.attributes.get(key, default)
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        if not isinstance(value, int):
            raise self.fault(f"a whole number as {key}", "nothing" if value is None else value)
        return value

    def pair(self, key: str, default: int | None = None) -> tuple[int, int]:
        """Rows and columns; one number, as files of 2020 have it, stands for both."""
        value = self.attributes.get(key, default)
        if isinstance(value, int):
            return value, value
        if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value):
            return value[0], value[1]
        raise self.fault(f"two whole numbers as {key}", "nothing" if value is None else value)

    def numbers(self, key: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        value = self.attributes.get(key, default)
        if isinstance(value, int):
            return (value,)
        if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
            raise self.fault(f"whole numbers as {key}", value)
        return value

    def text(self, key: str, default: str = "") -> str:
        value = self.attributes.get(key, default)
        if not isinstance(value, str):
            raise self.fault(f"a text as {key}", value)
        return value

    def sum_bits(self) -> int | str | None:
        """Width of the sums in bits by ``accDataType``; the type itself where it is none of whole
        numbers, None where the node leaves it open.

        Code that was made of a node without one has FINN's default. Raises :class:`InputError`.
        """
        made = bool(self.text("code_gen_dir_ipgen"))
        text = self.text("accDataType", DEFAULT_SUM if made else "")
        if not text or _NOT_WHOLE.match(text):
            return text or None
        found = _WHOLE.fullmatch(text)
        if found is None or not 1 <= int(found[1]) <= MAX_SUM_BITS:
            raise self.fault(f"an accDataType of 1 to {MAX_SUM_BITS} bits", text[:60])
        return int(found[1])


def kind_of(op_type: str) -> str:
    """Today's name of a node's type, without ``_Batch``, ``_hls`` and ``_rtl``."""
    bare = _SUFFIX.sub("", op_type)
    return _OLDER_NAMES.get(bare, bare)


def library_of(op_type: str, domain: str) -> Library:
    """Whose unit a node is; empty where it is not decided yet."""
    for library in ("hls", "rtl"):
        if op_type.endswith(f"_{library}") or domain.endswith(f".{library}"):
            return library
    is_old = op_type.endswith("_Batch") or kind_of(op_type) != op_type
    return "hls" if is_old else ""


def is_dataflow(node: Any) -> bool:
    """Whether an ``onnx.NodeProto`` is hardware of FINN."""
    domain = str(node.domain)
    if domain == DATAFLOW or domain.startswith(f"{DATAFLOW}."):
        return True
    return domain == _OLDEST and any(
        a.name == "backend" and a.s == b"fpgadataflow" for a in node.attribute
    )


def is_finn_model(model: Any) -> bool:
    """Whether an ``onnx.ModelProto`` holds FINN's hardware, or operators of its streamlined graphs."""
    return any(is_dataflow(node) or node.op_type in FRONT_END for node in model.graph.node)


def dataflow_nodes(model: Any, file: str) -> Iterator[DataflowNode]:
    """All nodes of a model in its order, standard operators too (their kind is their type)."""
    counts: dict[str, int] = {}
    taken = {str(node.name) for node in model.graph.node}
    seen: set[str] = set()
    for node in model.graph.node:
        op_type = str(node.op_type)
        number = counts.get(op_type, 0)
        counts[op_type] = number + 1
        name = str(node.name)
        if not name or name in seen:  # unnamed, or named twice: as FINN would name it
            while not name or name in seen or (name in taken and name != str(node.name)):
                name = f"{op_type}_{number}"
                number += 1
        seen.add(name)
        yield _node(node, name, file)


def _node(node: Any, name: str, file: str) -> DataflowNode:
    import onnx

    place = f"{file}: {name}"
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif isinstance(value, list):
            value = tuple(
                v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in value
            )
        attributes[attribute.name] = value
    op_type, domain = str(node.op_type), str(node.domain)
    hardware = is_dataflow(node)
    return DataflowNode(
        kind_of(op_type) if hardware else op_type,
        op_type,
        name,
        library_of(op_type, domain) if hardware else "",
        tuple(node.input),
        tuple(node.output),
        attributes,
        place,
    )


def renamed(node: DataflowNode, alias: Mapping[str, str]) -> DataflowNode:
    """``node`` reading the tensors that stand behind those that units pass on."""
    return replace(node, inputs=tuple(resolved(name, alias) for name in node.inputs))


def resolved(name: str, alias: Mapping[str, str]) -> str:
    """The tensor that ``name`` is a copy of."""
    while name in alias:
        name = alias[name]
    return name
