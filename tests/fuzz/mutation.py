"""Valid inputs made wrong: in their bytes, or in the structure that they have when they are read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 3, 5, 7, 8, 13, 255, 1 << 31, (1 << 31) - 1, (1 << 31) + 1, 1 << 63, 10**30)
WORDS = ("", " ", "x", "a b", "on", "null", "../x", "input", "bipolar", "uint8", "fixed8.7", "ü", "\0")
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    *WORDS,
    None,
    True,
    False,
    0.5,
    -1.5,
    1e300,
    float("inf"),
    float("nan"),
    [],
    {},
    [1],
    [[]],
    [3, 3],
    [-1, -1],
    {"x": 1},
    "x" * 3000,
)


def damaged_bytes(data: bytes, random: Random) -> bytes:
    """``data`` with one to four places changed: bits, bytes, stretches cut, doubled or overwritten."""
    result = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        if not result:
            break
        start = random.randrange(len(result))
        length = random.choice((1, 1, 2, 4, 8, 40))
        match random.randrange(6):
            case 0:
                result[start] ^= 1 << random.randrange(8)
            case 1:
                result[start] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case 2:
                del result[start : start + length]
            case 3:
                result[start:start] = result[start : start + length]
            case 4:
                result[start : start + length] = random.randbytes(min(length, len(result) - start))
            case _:
                if random.random() < 0.2:
                    del result[start:]
    return bytes(result)


def damaged_text(text: str, random: Random) -> str:
    """Text with characters that mean something moved, doubled or left out."""
    result = list(text)
    for _ in range(random.choice((1, 1, 2, 3))):
        start = random.randrange(len(result) + 1)
        if random.random() < 0.4 and result:
            del result[start : start + random.choice((1, 1, 3, 20))]
        else:
            result[start:start] = random.choice(TOKENS)
    return "".join(result)


TOKENS = (
    *("{", "}", "[", "]", ":", ": ", ",", "-", "\n", "\n  ", "#", "&a ", "*a", "!!int ", "!!x "),
    *("|", ">", "\t", "\0", "\ufeff"),
    *("'", '"', '"\\U00110000"', '"\\ud800"', "%YAML 9.9\n", "---\n", "...\n", "<<: ", "? "),
    *("0x10", "0144", "1:40", "1e2", "1e999", "9" * 60, ".inf", ".nan", "on", "~", "-1", "1_0"),
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all entries below ``data``."""
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    found = []
    for key, value in entries if isinstance(data, dict | list) else ():
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


def damaged_data(
    data: Any, random: Random, values: tuple[Any, ...] = VALUES, times: tuple[int, ...] = (1, 1, 2, 3)
) -> Any:
    """Plain data with entries replaced, left out, renamed, swapped or brought in from elsewhere."""
    result = copy.deepcopy(data)
    for _ in range(random.choice(times)):
        known = places(result)
        if not known:
            break
        path = random.choice(known)
        around = entry_at(result, path[:-1])
        change = random.choice((_replace, _replace, _replace, _remove, _rename, _borrow))
        change(around, path[-1], random, values, result)
    return result


def entry_at(data: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


Values = tuple[Any, ...]


def _replace(around: Any, key: Any, random: Random, values: Values, data: Any) -> None:
    around[key] = copy.deepcopy(random.choice(values))


def _remove(around: Any, key: Any, random: Random, values: Values, data: Any) -> None:
    del around[key]


def _rename(around: Any, key: Any, random: Random, values: Values, data: Any) -> None:
    if isinstance(around, dict):
        around[str(key)[:-1] if random.random() < 0.5 else random.choice(WORDS)] = around.pop(key)
    else:
        around.insert(key, copy.deepcopy(around[key]))


def _borrow(around: Any, key: Any, random: Random, values: Values, data: Any) -> None:
    around[key] = copy.deepcopy(entry_at(data, random.choice(places(data))))


Change = Callable[[Any, Any, Random, Values, Any], None]
