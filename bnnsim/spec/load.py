"""Loading specs: by shipped name or by path, with all faults gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from bnnsim.spec.architecture import Architecture, architecture_model
from bnnsim.spec.device import Device
from bnnsim.spec.faults import Fault, SpecError
from bnnsim.spec.library import find_spec
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.blocks import written_out
from bnnsim.spec.yaml.renamed import current
from bnnsim.spec.yaml.source import SourceText, read_source
from bnnsim.spec.yaml.validate import validate

Spec = TypeVar("Spec", bound=BaseModel)
AnySpec = TypeVar("AnySpec", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Loaded(Generic[AnySpec]):
    """A spec with the text it came from, so that later checks can name file and line.

    ``faults`` is empty unless the spec came from one of the ``read_`` functions, which leave it to
    the caller to raise.
    """

    spec: AnySpec
    source: SourceText
    path: Path | None = None
    faults: tuple[Fault, ...] = field(default=())


def read_architecture(reference: str | Path) -> Loaded[Architecture]:
    """As :func:`load_architecture`, keeping the faults of single entries for the caller."""
    path = find_spec(reference, "architecture")
    source = read_architecture_source(path)
    model = architecture_model(source)
    spec, faults = validate(model, source)
    if spec is None:
        raise SpecError(faults)
    return Loaded(spec, source, path, tuple(faults))


def read_architecture_source(path: Path) -> SourceText:
    """The text of an architecture, or of a space of them, with today's keys.

    Raises :class:`SpecError` as :func:`~bnnsim.spec.yaml.source.read_source` does; keys that have been
    renamed are said in an :class:`~bnnsim.spec.faults.OldKeyWarning`. Of a style that is none the keys
    stay as they are: who needs the style, asks for its model and says so.
    """
    source = read_source(path)
    try:
        return current(source, architecture_model(source))
    except SpecError:
        return source


def read_workload(reference: str | Path) -> Loaded[Workload]:
    """As :func:`load_workload`, keeping the faults of single entries for the caller."""
    path = find_spec(reference, "workload")
    return _validated(Workload, written_out(read_source(path)), path)


def read_both(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
) -> tuple[Loaded[Architecture] | Architecture, Loaded[Workload] | Workload]:
    """Both specs, read where they are names or paths.

    Raises :class:`SpecError` where one cannot be read, with the other's faults as well.
    """
    faults: list[Fault] = []
    arch: Loaded[Architecture] | Architecture | None = None
    work: Loaded[Workload] | Workload | None = None
    try:
        arch = read_architecture(architecture) if isinstance(architecture, str | Path) else architecture
    except SpecError as error:
        faults += error.faults
    try:
        work = read_workload(workload) if isinstance(workload, str | Path) else workload
    except SpecError as error:
        faults += error.faults
    if arch is None or work is None:
        for one in (arch, work):
            faults += one.faults if isinstance(one, Loaded) else ()
        raise SpecError(faults)
    return arch, work


def load_architecture(reference: str | Path) -> Loaded[Architecture]:
    """An architecture by name or path. Raises :class:`SpecError` with every fault."""
    return _complete(read_architecture(reference))


def load_workload(reference: str | Path) -> Loaded[Workload]:
    """A workload by name or path. Raises :class:`SpecError` with every fault."""
    return _complete(read_workload(reference))


def load_device(reference: str | Path) -> Loaded[Device]:
    """A device by name or path. Raises :class:`SpecError` with every fault.

    A search asks for the same few again and again, so a file that has not changed is read once.
    """
    path = find_spec(reference, "device")
    try:
        state = path.stat()
    except OSError:
        return _complete(_read(Device, path))  # which says what is in the way
    return _complete(_device_at(path, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=64)
def _device_at(path: Path, changed_ns: int, size: int) -> Loaded[Device]:
    return _read(Device, path)


def from_spec(spec: Spec, name: str | None = None) -> Loaded[Spec]:
    """A spec made in Python, as if it had been loaded; messages name it by ``name``."""
    shown = name or f"<{type(spec).__name__} {getattr(spec, 'name', '')}>".replace(" >", ">")
    return Loaded(spec, SourceText(shown, spec.model_dump(mode="json", exclude_unset=True)))


def _read(model: type[Spec], path: Path) -> Loaded[Spec]:
    return _validated(model, read_source(path), path)


def _validated(model: type[Spec], source: SourceText, path: Path) -> Loaded[Spec]:
    spec, faults = validate(model, source)
    if spec is None:
        raise SpecError(faults)
    return Loaded(spec, source, path, tuple(faults))


def _complete(loaded: Loaded[Spec]) -> Loaded[Spec]:
    if loaded.faults:
        raise SpecError(loaded.faults)
    return loaded
