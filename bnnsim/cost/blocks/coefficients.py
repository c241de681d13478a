"""The cost models' numbers: one YAML file, each entry with its source, or it does not load."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from bnnsim.cost.blocks.memories import BlockGeometry, geometry_from_pairs
from bnnsim.spec.faults import SpecError
from bnnsim.spec.model import SpecModel
from bnnsim.spec.yaml.source import read_source
from bnnsim.spec.yaml.validate import validate

COEFFICIENTS_FILE = Path(__file__).resolve().parent / "coefficients.yaml"
Text = Annotated[str, StringConstraints(min_length=1)]


class Coefficient(SpecModel):
    """One number (or list of block shapes) with its unit, where it comes from and what it means."""

    value: float | int | list[list[int]]
    unit: Text
    source: Text
    """Where the number was published or measured, or which calculation gives it."""
    note: Text
    fitted: Annotated[list[Text], Field(min_length=1)] | None = None
    """The placed designs this number was fitted on; leaving one out refits it on the others."""


class CoefficientFile(SpecModel):
    """``coefficients.yaml``: coefficients by name."""

    coefficients: dict[str, Coefficient]


class Coefficients:
    """Numbers by name. Two objects are equal only if they are the same one, so they can key caches."""

    def __init__(self, entries: Mapping[str, Coefficient]) -> None:
        self.entries = dict(entries)
        self._numbers: dict[str, float] = {
            name: float(entry.value)
            for name, entry in entries.items()
            if not isinstance(entry.value, list)
        }
        self.bram18 = geometry_from_pairs(
            self._shapes("bram18_shapes"),
            self._shapes("bram36_shapes"),
            self._shapes("bram18_true_dual_shapes"),
            self._shapes("bram36_true_dual_shapes"),
        )
        self.m20k = geometry_from_pairs(
            self._shapes("m20k_shapes"), (), self._shapes("m20k_true_dual_shapes"), ()
        )
        self.uram: BlockGeometry = geometry_from_pairs(self._shapes("uram_shapes"))

    def __getitem__(self, name: str) -> float:
        """The number called ``name``. Raises ``KeyError`` for a name that no file gave."""
        return self._numbers[name]

    def _shapes(self, name: str) -> list[list[int]]:
        value = self.entries[name].value
        assert isinstance(value, list), f"{name} is a list of [depth, width] block shapes"
        return value

    def replaced(self, numbers: Mapping[str, float], source: str) -> Coefficients:
        """A copy in which the named numbers have other values, their source being ``source``.

        Raises ``KeyError`` for a name that does not exist: a refit cannot invent a coefficient.
        """
        entries = dict(self.entries)
        for name, value in numbers.items():
            entries[name] = entries[name].model_copy(update={"value": float(value), "source": source})
        return Coefficients(entries)

    @property
    def fitted_names(self) -> tuple[str, ...]:
        """The coefficients that were fitted, in the file's order."""
        return tuple(name for name, entry in self.entries.items() if entry.fitted)


def load_coefficients(path: Path | None = None) -> Coefficients:
    """Read a coefficient file (default: the shipped one).

    Raises :class:`SpecError` with every entry that lacks a source, a unit or a note, by file and line,
    and with every coefficient that the shipped file has and this one does not.
    """
    source = read_source(path or COEFFICIENTS_FILE)
    spec, faults = validate(CoefficientFile, source)
    if spec is None or faults:
        raise SpecError(faults)
    if path is not None and path != COEFFICIENTS_FILE:
        known = default_coefficients().entries
        for name, entry in known.items():
            given = spec.coefficients.get(name)
            if given is None or isinstance(given.value, list) != isinstance(entry.value, list):
                expected = f"a coefficient in {entry.unit}"
                faults.append(source.fault(("coefficients", name), expected, "none"))
        if faults:
            raise SpecError(faults)
    return Coefficients(spec.coefficients)


@lru_cache(maxsize=1)
def default_coefficients() -> Coefficients:
    """The shipped coefficients, read once."""
    return load_coefficients()
