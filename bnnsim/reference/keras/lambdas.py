"""Lambdas run on arrays: their few instructions one by one, not by Python, and nothing but these.

Read by Python's documentation of ``marshal`` and ``dis``. What a Lambda may call is TensorFlow's
``split``, ``concat`` and ``pad``, in numpy.
"""

from __future__ import annotations

import base64
import io
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bnnsim.reference.graph import Array, Step
from bnnsim.reference.keras.file import SavedLayer
from bnnsim.reference.onnx_operators import refusing
from bnnsim.spec.faults import InputError

_NULL = "no object"
"""What Python 3.11 and later put beside a function that is to be called."""


def lambda_step(layer: SavedLayer, given: tuple[str, ...]) -> Step:
    """A Lambda called on the tensors ``given``. Raises as :func:`lambda_function`."""
    run, gives_argument_back = lambda_function(layer.config, layer.place)

    def outputs(arrays: Sequence[Array]) -> list[Array]:
        made = run(arrays[0] if len(arrays) == 1 else list(arrays))
        return [np.asarray(one) for one in (made if isinstance(made, list | tuple) else [made])]

    kind = "Identity" if gives_argument_back else "Lambda"
    function: Callable[[Sequence[Array]], Sequence[Array]] = refusing(outputs)
    return Step(kind, given, layer.outputs, function, layer.place, gives_argument_back)


def lambda_function(config: Mapping[str, Any], place: str) -> tuple[Callable[[Any], Any], bool]:
    """What a Lambda computes of its input, an array or a list of arrays; whether that is its input.

    Raises :class:`InputError` where its code does something else than is known here.
    """
    told = config["function"]
    if isinstance(told, Mapping):
        told = [told["config"][key] for key in ("code", "defaults", "closure")]
    functions = {"split": _split, "concat": _concat, "pad": _pad}
    closure = [functions.get(one, one) if isinstance(one, str) else one for one in told[2] or []]
    fields = _loaded(io.BytesIO(base64.b64decode(told[0])), [])
    steps, is_late = _disassembled(fields[0])
    known = (*_KNOWN, *_OPERATORS)
    if strange := next((name for name, _ in steps if name not in known), None):
        raise InputError(place, f"instructions that are known ({', '.join(known)})", strange)

    def run(given: Any) -> Any:
        variables = [given, *(told[1] or [])]
        if is_late:
            variables += [None] * (len(fields[3]) - len(closure) - len(variables))
            cells = dict(enumerate([*variables, *closure]))
        else:
            cells = dict(enumerate(closure))
        return _run(steps, variables, cells, fields, functions)

    return run, steps == [("LOAD_FAST", 0), ("RETURN_VALUE", 0)]


def _loaded(file: io.BytesIO, seen: list[Any]) -> Any:
    """The next object; of code its instructions, constants, names and names of variables."""

    def number(form: str = "<i") -> int:
        return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])

    first = file.read(1)[0]
    kind, at = chr(first & 127), len(seen)
    if first > 127:
        seen.append(None)
    found: Any
    if kind in "NTF.":
        found = {"N": None, "T": True, "F": False, ".": ...}[kind]
    elif kind == "i":
        found = number()
    elif kind == "r":
        found = seen[number()]
    elif kind in "()":
        found = tuple(_loaded(file, seen) for _ in range(number("<i" if kind == "(" else "<B")))
    elif kind in "sut" + "aA":
        found = file.read(number())
    elif kind in "zZ":
        found = file.read(number("<B"))
    elif kind == "c":
        rest = file.getvalue()[file.tell() :]
        numbers = re.match(rb"(?s)((?:.{4}){5,6}?)[s\xf3]", rest)
        file.read(len(numbers[1]) if numbers else 0)
        found = [_loaded(file, seen) for _ in range(4)]
    else:
        raise ValueError(f"a marshalled {kind!r}")
    if first > 127:
        seen[at] = found
    return found


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "BINARY_ADD": lambda a, b: a + b,
    "BINARY_SUBTRACT": lambda a, b: a - b,
    "BINARY_MULTIPLY": lambda a, b: a * b,
    "BINARY_FLOOR_DIVIDE": lambda a, b: a // b,
    "BINARY_SUBSCR": lambda a, b: a[b],
}
_EARLY = (
    "20 BINARY_MULTIPLY 23 BINARY_ADD 24 BINARY_SUBTRACT 25 BINARY_SUBSCR 26 BINARY_FLOOR_DIVIDE "
    "82 LIST_TO_TUPLE 83 RETURN_VALUE 100 LOAD_CONST 102 BUILD_TUPLE 103 BUILD_LIST 105 BUILD_MAP "
    "106 LOAD_ATTR 116 LOAD_GLOBAL 124 LOAD_FAST 131 CALL_FUNCTION 133 BUILD_SLICE 136 LOAD_DEREF "
    "141 CALL_FUNCTION_KW 142 CALL_FUNCTION_EX 158 BUILD_TUPLE_UNPACK 160 LOAD_ATTR 161 CALL_FUNCTION "
    "162 LIST_EXTEND 164 DICT_MERGE"
)
_LATER = (
    "0 CACHE 2 PUSH_NULL 25 BINARY_SUBSCR 82 LIST_TO_TUPLE 83 RETURN_VALUE 100 LOAD_CONST "
    "102 BUILD_TUPLE 103 BUILD_LIST 105 BUILD_MAP 106 LOAD_ATTR 116 LOAD_GLOBAL 122 BINARY_OP "
    "124 LOAD_FAST 133 BUILD_SLICE 137 LOAD_DEREF 142 CALL_FUNCTION_EX 149 COPY_FREE_VARS 151 RESUME "
    "160 LOAD_METHOD 162 LIST_EXTEND 164 DICT_MERGE 166 PRECALL 171 CALL 172 KW_NAMES "
    "173 LIST_TO_TUPLE"
)
_LATEST = (
    "0 CACHE 5 BINARY_SUBSCR 34 PUSH_NULL 36 RETURN_VALUE 45 BINARY_OP 47 BUILD_LIST 48 BUILD_MAP "
    "50 BUILD_SLICE 52 BUILD_TUPLE 53 CALL 54 CALL_FUNCTION_EX 55 LIST_TO_TUPLE 57 CALL_KW "
    "62 COPY_FREE_VARS 68 DICT_MERGE 81 LIST_EXTEND 82 LOAD_ATTR 83 LOAD_CONST 84 LOAD_DEREF "
    "85 LOAD_FAST 88 LOAD_FAST_LOAD_FAST 91 LOAD_GLOBAL 149 RESUME"
)
"""Instructions of Python 3.6 to 3.10, of 3.11 and 3.12, and of 3.13."""
_KNOWN = (
    *("PUSH_NULL", "LIST_TO_TUPLE", "RETURN_VALUE", "LOAD_CONST", "BUILD_TUPLE", "BUILD_LIST"),
    *("BUILD_MAP", "LOAD_ATTR", "LOAD_GLOBAL", "LOAD_FAST", "BUILD_SLICE", "LOAD_DEREF"),
    *("CALL", "CALL_KW", "CALL_FUNCTION", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX", "KW_NAMES"),
    *("BUILD_TUPLE_UNPACK", "LIST_EXTEND", "DICT_MERGE"),
)


def _disassembled(code: bytes) -> tuple[list[tuple[str, int]], bool]:
    """Instructions by name, and whether they are of Python 3.11 or later."""
    if re.match(rb"(?s)(\x95.)?\x97\0", code):
        text = _LATER
    else:
        text = _LATEST if re.match(rb"(?s)(\x3e.)?\x95\0", code) else _EARLY
    words = text.split()
    names = {int(n): name for n, name in zip(words[::2], words[1::2], strict=True)}
    steps: list[tuple[str, int]] = []
    for at in range(0, len(code), 2):
        name, argument = names.get(code[at], f"number {code[at]}"), code[at + 1]
        caches = re.match(rb"(?s)(\0.)*", code[at + 2 :])
        is_long = caches is not None and len(caches[0]) >= 18
        if name in ("CACHE", "RESUME", "PRECALL", "COPY_FREE_VARS"):
            continue
        if name == "BINARY_OP":
            name = {0: "BINARY_ADD", 2: "BINARY_FLOOR_DIVIDE", 5: "BINARY_MULTIPLY",
                    10: "BINARY_SUBTRACT"}.get(argument, f"BINARY_OP {argument}")  # fmt: skip
        if name == "LOAD_FAST_LOAD_FAST":
            steps += [("LOAD_FAST", argument >> 4), ("LOAD_FAST", argument & 15)]
            continue
        beside = name == "LOAD_METHOD"
        if text is not _EARLY and (name == "LOAD_GLOBAL" or (name == "LOAD_ATTR" and is_long)):
            argument, beside = argument >> 1, bool(argument & 1)
        steps.append(("LOAD_ATTR" if name == "LOAD_METHOD" else name, argument))
        if beside:  # behind an attribute, which takes what lies on top
            steps.insert(len(steps) - (name == "LOAD_GLOBAL"), ("PUSH_NULL", 0))
    return steps, text is not _EARLY


def _run(
    steps: Sequence[tuple[str, int]],
    variables: Sequence[Any],
    cells: Mapping[int, Any],
    fields: Sequence[Any],
    functions: Mapping[str, Any],
) -> Any:
    _, constants, names, _ = fields
    stack: list[Any] = []
    keywords: tuple[bytes, ...] = ()

    def pop(count: int) -> list[Any]:
        found = stack[len(stack) - count :]
        del stack[len(stack) - count :]
        return found

    for name, n in steps:
        if name in _OPERATORS:
            left, right = pop(2)
            stack.append(_OPERATORS[name](left, right))
        elif name == "LOAD_CONST":
            stack.append(constants[n])
        elif name == "LOAD_FAST":
            stack.append(variables[n])
        elif name == "LOAD_DEREF":
            stack.append(cells[n])
        elif name == "LOAD_GLOBAL":
            stack.append(functions)  # only TensorFlow has a name there
        elif name == "LOAD_ATTR":
            stack.append(pop(1)[0][names[n].decode()])
        elif name == "PUSH_NULL":
            stack.append(_NULL)
        elif name == "BUILD_SLICE":
            stack.append(slice(*pop(n)))
        elif name == "BUILD_TUPLE":
            stack.append(tuple(pop(n)))
        elif name == "BUILD_LIST":
            stack.append(pop(n))
        elif name in ("LIST_EXTEND", "BUILD_TUPLE_UNPACK"):
            stack.append([one for part in pop(2 if name == "LIST_EXTEND" else n) for one in part])
        elif name == "BUILD_MAP":
            stack.append({})
        elif name == "DICT_MERGE":
            first, second = pop(2)
            stack.append({**first, **second})
        elif name == "KW_NAMES":
            keywords = constants[n]
        elif name.startswith("CALL"):
            options: Mapping[str, Any] = {}
            if name == "CALL_FUNCTION_EX":
                options = pop(1)[0] if n & 1 else {}
                given = pop(1)[0]
            else:
                keywords = pop(1)[0] if name.endswith("KW") else keywords
                given = pop(n)
                options = {k.decode(): v for k, v in zip(keywords[::-1], given[::-1], strict=False)}
                given, keywords = given[: n - len(keywords)], ()
            (called,) = [one for one in pop(_beside(stack)) if one is not _NULL]
            stack.append(called(*given, **options))
        elif name == "RETURN_VALUE":
            return stack.pop()
    raise ValueError("a function that gives nothing")


def _beside(stack: Sequence[Any]) -> int:
    """How many places a function that is to be called takes."""
    return 1 + any(one is _NULL for one in stack[-2:])


def _split(value: Array, num_or_size_splits: Any, axis: int = 0, **_: Any) -> list[Array]:
    parts = num_or_size_splits
    ends = parts if isinstance(parts, int) else np.cumsum(parts)[:-1].tolist()
    return list(np.split(value, ends, axis=axis))


def _concat(values: Sequence[Array], axis: int, **_: Any) -> Array:
    return np.concatenate(list(values), axis=axis)


def _pad(tensor: Array, paddings: Any, mode: str = "CONSTANT", **_: Any) -> Array:
    if mode != "CONSTANT":
        raise ValueError(f"pad {mode}")
    return np.pad(tensor, [tuple(one) for one in paddings])
