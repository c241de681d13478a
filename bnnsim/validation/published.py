"""Published results as data: what a paper or a repository reported, where, and how exactly to be met.

One YAML file a publication, ``<author>_<venue>_<year>.yaml``. They are in ``tests/validation/published``
of a checkout and inside the installed package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from bnnsim.spec.faults import Fault, SpecError, near_names
from bnnsim.spec.model import Name, SpecModel
from bnnsim.spec.yaml.source import SourceText, read_source
from bnnsim.spec.yaml.validate import validate

Text = Annotated[str, StringConstraints(min_length=1)]

UNITS = {
    "throughput_fps": "frame/s",
    "latency_us": "us",
    "latency_cycles": "cycle",
    "initiation_interval_cycles": "cycle",
    "cycles_total": "cycle",
    "compute_cycles": "cycle",
    "transfer_cycles": "cycle",
    "throughput_gops": "GOP/s",
    "accuracy_percent": "%",
    "clock_mhz": "MHz",
    "power_w": "W",
    "lut": "LUT",
    "lut_logic": "LUT",
    "lutram": "LUT",
    "ff": "FF",
    "bram18": "BRAM18",
    "dsp": "DSP",
    "alm": "ALM",
    "m20k": "M20K",
}
"""The quantities a result can have, and the one unit of each."""
Quantity = Literal[
    "throughput_fps",
    "latency_us",
    "latency_cycles",
    "initiation_interval_cycles",
    "cycles_total",
    "compute_cycles",
    "transfer_cycles",
    "throughput_gops",
    "accuracy_percent",
    "clock_mhz",
    "power_w",
    "lut",
    "lut_logic",
    "lutram",
    "ff",
    "bram18",
    "dsp",
    "alm",
    "m20k",
]
POWER_BASES = ("programmable_logic", "chip", "rise", "board", "plug", "not_stated")
UNSTATED = "not_stated"


class Result(SpecModel):
    """One reported number."""

    quantity: Quantity
    value: Annotated[float | int, Field(ge=0)]
    unit: Text
    basis: Text
    """What was measured or computed: for power one of the bases, else in words (placed, board, ...)."""
    where: Text
    """Where it stands: table, figure, file, page; and who read it there."""
    role: Literal["calibration", "validation"]
    """``calibration``: used to fit a coefficient, or to choose a setting of the architecture, so that
    meeting it proves nothing."""
    tolerance: Annotated[float, Field(gt=0, le=1)]
    """Allowed relative difference of a simulated value."""
    reason: Text
    """Why this tolerance."""
    frames: Annotated[int, Field(ge=1)] | None = None
    """For ``cycles_total`` and ``latency_us``: of how many frames."""
    layer: str | None = None
    """For a number of one layer: which."""
    rate_fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """For power: frames a second while it was measured."""
    reading: Text | None = None
    """Another reading of a number that is printed ambiguously; the plain reading is a row of its own,
    and takes part in fits instead of this one."""
    explanation: Text | None = None
    """Why the simulated value differs, where that is known."""
    not_simulated: Text | None = None
    """Why this tool gives no value of its own."""

    @property
    def is_of_synthesis(self) -> bool:
        """Whether the design as synthesis asks for it was counted: it need not fit the device."""
        return self.basis.startswith("synthesis")

    @model_validator(mode="after")
    def _unit_and_basis_fit(self) -> Result:
        unit = UNITS[self.quantity]
        if self.unit != unit:
            raise ValueError(f"the unit {unit} for {self.quantity}")
        if self.quantity == "power_w" and self.basis not in POWER_BASES:
            raise ValueError(f"a power basis, one of {', '.join(POWER_BASES)}")
        return self


class SimulatedBy(SpecModel):
    """Which shipped specs simulate a published system."""

    architecture: Name
    workload: Name
    changes: dict[str, Any] = {}
    """What the system has otherwise than the architecture says: keys of the architecture file, nested
    as there; null takes a key away."""
    board: str | None = None
    """The board whose supply was measured, for power at the plug."""


class FreeChoice(SpecModel):
    """Something of a system's structure that nobody reported, and what it might be."""

    what: Text
    """What is free."""
    source: Text
    """Why it is not known, and where the choices come from."""
    choices: Annotated[list[dict[str, Any]], Field(min_length=1)]
    """Each with the values of the architecture's keys, at their paths with dots; as specified where there
    are none."""


class PublishedSystem(SpecModel):
    """One accelerator of a publication, on one device, with one network."""

    name: Name
    """The name its architecture specification has or would have."""
    workload: str
    device: Name
    structure: Literal["complete", "inferred", "unknown"]
    """How much of its hardware is known."""
    notes: str = ""
    review: Text | None = None
    """Its name in the table of the 2022 review, for those that stand there."""
    simulated_by: SimulatedBy | None = None
    read_off: dict[Literal["logic", "registers", "memory", "power"], Text] = {}
    """Parts whose coefficients were read off its reports, by kind of number. Its numbers of that kind
    hold these parts against themselves: calibration of a sort, and no blind validation."""
    not_simulated: Text | None = None
    """Why it is not, where it is not."""
    free: list[FreeChoice] = []
    """What of its structure is not known: all combinations are held against what is reported."""
    results: Annotated[list[Result], Field(min_length=1)]

    @model_validator(mode="after")
    def _simulated_or_not(self) -> PublishedSystem:
        if (self.simulated_by is None) == (self.not_simulated is None):
            raise ValueError("either 'simulated_by' or 'not_simulated' with the reason")
        return self


class Publication(SpecModel):
    """One paper, thesis or repository and what it reported."""

    citation: Text
    """Authors, title, venue and year, or the repository."""
    systems: Annotated[list[PublishedSystem], Field(min_length=1)]


@dataclass(frozen=True)
class PublishedRow:
    """One result together with its system and publication; ``file`` and ``line`` say where it is."""

    publication: str
    citation: str
    system: PublishedSystem
    result: Result
    file: str
    line: int

    @property
    def is_comparable_power(self) -> bool:
        """Whether a power figure says what was measured."""
        return self.result.quantity == "power_w" and self.result.basis != UNSTATED


def published_folder() -> Path:
    """The folder of publication files: in the installed package, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped" / "published"
    return installed if installed.is_dir() else package.parent / "tests" / "validation" / "published"


def publication_names() -> list[str]:
    """The shipped publications (``<author>_<venue>_<year>``), sorted."""
    return sorted(path.stem for path in published_folder().glob("*.yaml"))


def load_publication(reference: str | Path) -> Publication:
    """A publication by name or path. Raises :class:`SpecError` with every fault."""
    return _load(reference)[0]


def load_published_rows() -> list[PublishedRow]:
    """Every shipped result, by publication, system and place in the file.

    Raises :class:`SpecError` with the faults of all files, also where two systems share a name.
    """
    rows: list[PublishedRow] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for name in publication_names():
        try:
            publication, source = _load(name)
        except SpecError as error:
            faults += error.faults
            continue
        for s, system in enumerate(publication.systems):
            if system.name in seen:
                expected = f"a name not used before ({seen[system.name]} has it)"
                faults.append(source.fault(("systems", s, "name"), expected, repr(system.name)))
            seen[system.name] = name
            for r, result in enumerate(system.results):
                line = source.line_of(("systems", s, "results", r))
                rows.append(PublishedRow(name, publication.citation, system, result, source.file, line))
    if faults:
        raise SpecError(faults)
    return rows


def _load(reference: str | Path) -> tuple[Publication, SourceText]:
    path = Path(reference)
    if path.suffix != ".yaml" and len(path.parts) == 1:
        shipped = published_folder() / f"{reference}.yaml"
        if not shipped.is_file():
            names = publication_names()
            expected = f"a publication ({', '.join(names)})"
            near = near_names(str(reference), names)
            raise SpecError([Fault(str(reference), 0, "", expected, repr(str(reference)), near)])
        path = shipped
    source = read_source(path)
    publication, faults = validate(Publication, source)
    if publication is None or faults:
        raise SpecError(faults)
    return publication, source
