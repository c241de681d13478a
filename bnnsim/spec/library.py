"""Where shipped specs and networks are: in the checkout, or inside the installed package."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bnnsim.spec.faults import Fault, SpecError, near_names

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = {
    "architecture": "arch_specs",
    "device": "arch_specs/devices",
    "workload": "workloads",
    "space": "arch_specs/spaces",
}


def shipped_folder(kind: str) -> Path:
    """The folder of shipped ``architecture``, ``device``, ``workload`` or ``space`` files."""
    folder = _FOLDERS[kind]
    installed = _PACKAGE / "shipped" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder


def shipped_names(kind: str) -> list[str]:
    """The names under which shipped specs of this kind are found, sorted."""
    return sorted(path.stem for path in shipped_folder(kind).glob("*.yaml"))


def is_shipped(name: str, kind: str) -> bool:
    """Whether a shipped spec of this kind is found under ``name``."""
    return (shipped_folder(kind) / f"{name}.yaml").is_file()


def find_spec(reference: str | Path, kind: str) -> Path:
    """The file that ``reference`` means: a path (with a folder or ``.yaml`` in it) or a shipped name.

    Raises :class:`SpecError` with the nearest names.
    """
    path = Path(reference)
    text = str(reference)
    if path.suffix.lower() in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    with contextlib.suppress(OSError):  # a name that is too long for one of a file
        shipped = shipped_folder(kind) / f"{text}.yaml"
        if shipped.is_file():
            return shipped
        if path.is_file():
            return path
    names = shipped_names(kind)
    expected = f"a YAML file or a shipped {kind} ({', '.join(names)})"
    place = text if text.strip() else kind
    raise SpecError([Fault(place, 0, "", expected, repr(text), near_names(text, names))])
