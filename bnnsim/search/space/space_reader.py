"""From a spec with choices to a space, every fault located."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path

from bnnsim.design.network.network import Network, resolve_network
from bnnsim.search.front.objectives import METRICS
from bnnsim.search.space.aims import ExploreSpec, read_aims
from bnnsim.search.space.depth_names import space_depth_faults, written_depth_faults
from bnnsim.search.space.field_reader import DIVISORS, FieldReader
from bnnsim.search.space.fields import Knob, knob_values
from bnnsim.search.space.space import Space
from bnnsim.search.space.value_faults import device_faults, value_faults, with_choices
from bnnsim.spec.architecture import architecture_model
from bnnsim.spec.faults import Fault, KeyPath, SpecError, near_names
from bnnsim.spec.library import find_spec, shipped_names
from bnnsim.spec.load import Loaded, load_workload, read_architecture_source
from bnnsim.spec.model import SpecModel
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.source import SourceText

RESERVED = ("alternative", "target_interval")
"""Names that parameters of a search have already."""
_KNOB_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def find_space(reference: str | Path) -> Path:
    """The file that ``reference`` means: a path, a shipped space or a shipped architecture."""
    if str(reference) not in shipped_names("space") and str(reference) in shipped_names("architecture"):
        return find_spec(reference, "architecture")
    return find_spec(reference, "space")


def load_space(reference: str | Path, workload: str | Path | Loaded[Workload] | None = None) -> Space:
    """A space by shipped name or path. Raises :class:`SpecError` with every fault.

    ``workload`` replaces the network that the space names. With it, a plain streaming architecture is a
    space too: its own points with the PE and SIMD of every layer free, and FIFOs sized where there are
    joins.
    """
    path = find_space(reference)
    return read_space(read_architecture_source(path), workload, path.parent)


def read_space(
    source: SourceText,
    workload: str | Path | Loaded[Workload] | None = None,
    folder: Path = Path(),
) -> Space:
    """As :func:`load_space`, from plain data, which is left as it is.

    ``folder`` is that of the space's file: a network that the space names by path lies beside it.
    """
    source = replace(source, data=copy.deepcopy(source.data))
    header = source.data.pop("explore", None)
    as_given: SourceText | None = None
    faults: list[Fault] = []
    model = _model(source, faults)
    if header is None:
        if workload is None:
            expected = "this key, or a workload beside an architecture whose folding to search"
            raise SpecError([*faults, *source.faults, source.fault(("explore",), expected, "nothing")])
        workload = workload if isinstance(workload, Loaded) else load_workload(workload)
        header = {}
        if model is StreamingArchitecture:
            given = resolve_network(workload)
            wrong_depths = written_depth_faults(source, given)
            if wrong_depths:
                raise SpecError(wrong_depths)
            as_given = source.with_data(copy.deepcopy(source.data))
            _free_folding(source, workload)
            if any(len(node.inputs) > 1 for node in given.nodes.values()):
                header = {"fifos": "sized"}  # depths before joins are right for one folding
    explore = _aims(source, header, faults)
    loaded, network = _network(source, header, workload, folder, faults)
    shared = _shared_knobs(source, header, faults)
    if model is None:
        raise SpecError(faults)
    reader = FieldReader(source, network, shared, model is StreamingArchitecture)
    sample = reader.walk(source.data)
    faults += reader.faults
    faults += [] if faults else reader.unused()
    faults += [] if network is None else space_depth_faults(source, network)
    if explore is not None and explore.fifos == "sized" and model is not StreamingArchitecture:
        faults.append(source.fault(("explore", "fifos"), "given: engines have no FIFOs", "sized"))
    wrong = {source.fault(path, "", "").key for path in reader.wrong}
    found = value_faults(model, source, reader, sample)
    faults += with_choices(source, [fault for fault in found if fault.key not in wrong])
    faults += device_faults(source, reader)
    if faults or explore is None or loaded is None or network is None:
        raise SpecError(faults)
    if explore.workload is None or workload is None:
        explore = explore.model_copy(update={"workload": loaded.spec.name})
    name, knobs = str(source.data["name"]), tuple(reader.knobs.values())
    folded, fields = tuple(reader.folded), tuple(reader.fields)
    return Space(name, source, explore, loaded, network, folded, knobs, fields, as_given=as_given)


def _model(source: SourceText, faults: list[Fault]) -> type[SpecModel] | None:
    """The kind of architecture that a space is of; None where ``faults`` say why there is none."""
    try:
        return architecture_model(source)
    except SpecError as error:
        faults += error.faults
        return None


def find_workload(source: SourceText, path: KeyPath, reference: str, folder: Path) -> Path:
    """The file of the network named at ``path``: shipped, or beside the space's own file."""
    other = beside(source, path, reference, folder)
    known = shipped_names("workload")
    if other is None and reference not in known:
        expected = f"a YAML file or a shipped workload ({', '.join(known)})"
        raise SpecError([source.fault(path, expected, f"'{reference}'", near_names(reference, known))])
    return find_spec(other or reference, "workload")


def beside(source: SourceText, key: KeyPath, reference: str, folder: Path) -> Path | None:
    """The file that the reference at ``key`` means; None for a name.

    It lies beside the file that names it, which is in ``folder``, or where that is a link beside what it
    leads to.
    """
    path = Path(reference)
    if path.suffix.lower() not in (".yaml", ".yml") and len(path.parts) == 1:
        return None
    own = folder / Path(source.file).name
    for place in (folder, *([own.resolve().parent] if own.is_symlink() else [])):
        if (place / path).exists():
            return place / path
    raise SpecError([source.fault(key, "a file", f"nothing at {folder / path}")])


def _aims(source: SourceText, header: object, faults: list[Fault]) -> ExploreSpec | None:
    try:
        explore = read_aims(ExploreSpec, source, header)
    except SpecError as error:
        faults += error.faults
        return None
    for place, reference in enumerate(explore.landmarks):
        if reference.alternative is not None:
            key = ("explore", "landmarks", place, "alternative")
            expected = "no alternative in a space without alternatives"
            faults.append(source.fault(key, expected, f"'{reference.alternative}'"))
    return explore


def _network(
    source: SourceText,
    header: object,
    given: str | Path | Loaded[Workload] | None,
    folder: Path,
    faults: list[Fault],
) -> tuple[Loaded[Workload] | None, Network | None]:
    """The network that is searched for: the user's, else the space's; None where ``faults`` say why."""
    own = header.get("workload") if isinstance(header, dict) else None
    try:
        if given is None:
            path = ("explore", "workload")
            if own is None:
                expected = "a network: this key, or a workload beside the space"
                raise SpecError([source.fault(path, expected, "nothing")])
            if not isinstance(own, str) or not own:  # which is said with the other aims
                return None, None
            given = find_workload(source, path, own, folder)
        loaded = given if isinstance(given, Loaded) else load_workload(given)
        return loaded, resolve_network(loaded)
    except SpecError as error:
        faults += error.faults
        return None, None


def _shared_knobs(source: SourceText, header: object, faults: list[Fault]) -> dict[str, Knob]:
    shared = {}
    named = header.get("knobs") if isinstance(header, dict) else None
    for name, given in named.items() if isinstance(named, dict) else ():
        path = ("explore", "knobs", name)
        if not isinstance(name, str) or not isinstance(given, dict):  # said with the other aims
            shared[str(name)] = Knob(str(name), ())
            continue
        if name in RESERVED or name in METRICS:
            faults.append(source.fault(path, "a name that no figure or parameter has", f"'{name}'"))
        elif not _KNOB_NAME.fullmatch(name):  # fields' own names have points, parameters' as well
            faults.append(source.fault(path, "a name of letters, digits and _", f"'{name}'"))
        # A knob with a fault has no values, but its name, so that fields that follow it have no fault.
        shared[name] = Knob(name, knob_values(source, given, path, faults))
    return shared


def _free_folding(source: SourceText, workload: Loaded[Workload]) -> None:
    """Free the PE and SIMD of every layer of a plain architecture."""
    layers = source.data.get("layers")
    nodes = resolve_network(workload).nodes
    for name, hardware in layers.items() if isinstance(layers, dict) else ():
        if name in nodes and nodes[name].macs and isinstance(hardware, dict):
            hardware["pe"] = hardware["simd"] = DIVISORS
