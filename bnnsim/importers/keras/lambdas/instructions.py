"""The instructions of a function without branches, under one name each whatever Python wrote them.

Source: CPython's Include/opcode.h and Lib/opcode.py, versions 3.6 to 3.13.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bnnsim.importers.keras.lambdas.marshalled import Code, Unread

_MOST = 1000
_CACHE, _LONG_CACHE = 0, 9
"""Empty places behind an instruction; so many behind an attribute from Python 3.12 on."""

_ALWAYS = {
    25: "item",
    83: "return",
    100: "constant",
    102: "tuple",
    103: "list",
    105: "map",
    106: "attribute",
    116: "global",
    124: "local",
    133: "slice",
    142: "call of all",
    162: "extend",
    164: "merge",
}
"""Up to Python 3.12."""
_UP_TO_3_10 = {
    **_ALWAYS,
    20: "*",
    23: "+",
    24: "-",
    26: "//",
    82: "as tuple",
    131: "call",
    136: "free",
    141: "call with names",
    158: "joined tuple",
    160: "attribute",
    161: "call",
}
_3_11 = {
    **_ALWAYS,
    2: "nothing",
    82: "as tuple",
    122: "arithmetic",
    137: "free",
    149: "free variables",
    151: "begin",
    160: "method",
    166: "before call",
    171: "call",
    172: "names of call",
    173: "intrinsic",
}
"""And 3.12."""
_3_13 = {
    5: "item",
    34: "nothing",
    36: "return",
    45: "arithmetic",
    47: "list",
    48: "map",
    50: "slice",
    52: "tuple",
    53: "call",
    54: "call of all",
    55: "intrinsic",
    57: "call with names",
    62: "free variables",
    68: "merge",
    81: "extend",
    82: "attribute",
    83: "constant",
    84: "free",
    85: "local",
    88: "two locals",
    91: "global",
    149: "begin",
}
_ARITHMETIC = {0: "+", 2: "//", 5: "*", 10: "-"}
_AS_TUPLE = 6


class Instruction(NamedTuple):
    """``pushes_nothing``: an empty place stands beside the value that it puts on the stack."""

    name: str
    argument: int
    pushes_nothing: bool = False


class Function(NamedTuple):
    """``arguments``: how many may be given by position; ``first_free``: the number of the first free
    variable; ``has_nothing``: every call has an empty place beside what it calls."""

    instructions: list[Instruction]
    arguments: int
    first_free: int
    has_nothing: bool


def function_of(code: Code) -> Function:
    """A code object's instructions. Raises :class:`Unread` where one is not known, or where arguments
    can only be named or are any number, or it makes a generator or a coroutine."""
    words = list(zip(code.instructions[::2], code.instructions[1::2], strict=False))
    if len(code.instructions) % 2 or not 0 < len(words) <= _MOST:
        raise Unread("too many instructions")
    known, is_new = _table(code, words)
    has_six = len(code.numbers) == _NUMBERS_OF_3_8
    only_named = code.numbers[2 if is_new or has_six else 1]
    if only_named or code.numbers[-1] & _UNUSUAL:
        raise Unread("an unusual function")
    found: list[Instruction] = []
    first_free = 0
    for at, (number, argument) in enumerate(words):
        if is_new and number == _CACHE:
            continue
        name = known.get(number)
        if name is None:
            raise Unread(f"instruction {number}")
        if name == "free variables":
            first_free = len(code.locals) - argument
        elif name not in ("begin", "before call"):
            found += _plain(name, argument, is_new, _empty_behind(words, at) >= _LONG_CACHE)
    return Function(found, code.numbers[0], first_free, is_new)


_NUMBERS_OF_3_8 = 6
"""In front of the instructions, up to Python 3.10; before and behind there are five."""
_UNUSUAL = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
"""Flags of arguments in any number, of generators and coroutines."""


def _table(code: Code, words: list[tuple[int, int]]) -> tuple[dict[int, str], bool]:
    """Names by number, and whether Python 3.11 or later wrote them: a mark stands in front then."""
    if len(code.numbers) != _NUMBERS_OF_3_8:
        for table in (_3_11, _3_13):
            free, begin = (next(n for n, v in table.items() if v == k) for k in _MARKS)
            front = words[1:2] if words[0][0] == free else words[:1]
            if front == [(begin, 0)]:
                return table, True
    return _UP_TO_3_10, False


_MARKS = ("free variables", "begin")


def _empty_behind(words: list[tuple[int, int]], at: int) -> int:
    behind = at + 1
    while behind < len(words) and words[behind][0] == _CACHE:
        behind += 1
    return behind - at - 1


def _plain(name: str, argument: int, is_new: bool, has_long_cache: bool) -> Iterator[Instruction]:
    """An instruction in the one form that is read."""
    if name == "two locals":
        yield Instruction("local", argument >> 4)
        yield Instruction("local", argument & 15)
    elif name == "arithmetic":
        if argument not in _ARITHMETIC:
            raise Unread(f"operator {argument}")
        yield Instruction(_ARITHMETIC[argument], 0)
    elif name == "intrinsic":
        if argument != _AS_TUPLE:
            raise Unread(f"function {argument} of the interpreter")
        yield Instruction("as tuple", 0)
    elif name == "global" and is_new:
        yield Instruction(name, argument >> 1, bool(argument & 1))
    elif name == "method":
        yield Instruction("attribute", argument, True)
    elif name == "attribute" and is_new and has_long_cache:
        yield Instruction(name, argument >> 1, bool(argument & 1))
    else:
        yield Instruction(name, argument)
