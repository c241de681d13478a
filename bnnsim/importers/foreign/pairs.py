"""Models in two files: a structure, and its weights beside it."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import is_zipfile

from bnnsim.importers.foreign.formats import (
    KERAS,
    KERAS_JSON,
    MXNET,
    MXNET_PARAMETERS,
    Format,
    format_beside,
    promised_by,
)
from bnnsim.spec.faults import InputError

_SAID = re.compile(r"[-_.]?(structure|architecture|arch|config|model|symbol|weights|\d{4})$")
_WEIGHTS = {KERAS_JSON: KERAS, MXNET: MXNET_PARAMETERS}
_STRUCTURES = {weights: structure for structure, weights in _WEIGHTS.items()}


def weights_beside(structure: Path, kind: Format) -> Path:
    """The weights of a structure: of its name, else the only ones in its folder.

    Of several epochs of MXNet (``net-0001.params``) the last. Raises :class:`InputError`.
    """
    return _beside(structure, _WEIGHTS[kind], "its weights beside it")


def structure_beside(weights: Path, kind: Format) -> Path:
    """The structure that weights belong to. Raises :class:`InputError`."""
    return _beside(weights, _STRUCTURES[kind], "its network beside it")


def _beside(path: Path, wanted: Format, what: str) -> Path:
    others = [one for one in sorted(path.parent.iterdir()) if one.is_file() and one != path]
    found = [one for one in others if _is(one, wanted, _bare(path))]
    alike = [one for one in found if _bare(one) == _bare(path)]
    if alike:
        return max(alike, key=lambda one: (_shared(one.name, path.name), one.name))
    if len(found) != 1:
        got = ", ".join(one.name for one in found) or "none"
        raise InputError(str(path), f"{what} ({wanted.name}, called {_bare(path)}...)", got)
    return found[0]


def _is(path: Path, wanted: Format, name: str) -> bool:
    """Whether a file is of the ``wanted`` format. A damaged one that is called ``name`` is a fault, any
    other is not wanted."""
    try:
        return format_beside(path) is wanted and not (wanted is KERAS and is_zipfile(path))
    except InputError:
        if promised_by(path) is wanted and _bare(path) == name:
            raise
        return False


def _shared(a: str, b: str) -> int:
    """How many characters two names begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _bare(path: Path) -> str:
    """``net`` of ``net-symbol.json``, ``net-0012.params``, ``net.weights.h5`` and ``net.json``."""
    name = path.name.rpartition(".")[0] or path.name
    while True:
        shorter = _SAID.sub("", name)
        if shorter == name or not shorter:
            return name
        name = shorter
