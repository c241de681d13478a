"""What a search leaves in its folder: trials and front as tables, each front design as a spec."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from bnnsim.cost.error_bars import ENDS, RESTS_ON
from bnnsim.design.engine.patterns import is_free
from bnnsim.files.folder import write_files
from bnnsim.files.whole import no_place
from bnnsim.search.front.objectives import GIVEN, METRICS, ROBUST
from bnnsim.search.front.own_figures import are_own
from bnnsim.search.points.point_design import point_architecture, point_design
from bnnsim.search.space.alternatives import Alternatives
from bnnsim.search.space.space import Space
from bnnsim.search.storage.kinds import interval_of, structure_kinds
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.library import find_spec, is_shipped
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload
from bnnsim.spec.yaml.scalars import ScalarDumper
from bnnsim.spec.yaml.write import schema_line

TRIALS, PARETO, DESIGNS = "trials.csv", "pareto.csv", "designs"
Notes = Mapping[str, str]


def design_name(exploration: Exploration, trial: TrialRecord) -> str:
    """The name of a trial's architecture, and of its file."""
    return f"{exploration.space.name}-{trial.id}"


def write_results(
    exploration: Exploration,
    folder: Path,
    checked: Notes | None = None,
    pages: Mapping[str, str] | None = None,
) -> None:
    """Write ``trials.csv``, ``pareto.csv``, ``designs/<name>.yaml`` and ``pages`` below ``folder``.

    ``checked`` says for each front design (by trial id) how it was verified. All files or none are
    changed; designs of an earlier session that are no longer on the front are removed. Raises
    :class:`~bnnsim.spec.faults.InputError` where the folder or the disk does not take them.
    """
    checked = checked or {}
    texts = {
        **(pages or {}),
        TRIALS: table(exploration, exploration.trials),
        PARETO: table(exploration, exploration.front, checked),
    }
    for trial in exploration.shown:
        name = design_name(exploration, trial)
        texts[f"{DESIGNS}/{name}.yaml"] = design_text(exploration, trial, checked.get(trial.id, ""))
    write_files(folder, texts)
    _remove_others(folder / DESIGNS, exploration, {Path(name).name for name in texts})


def _remove_others(folder: Path, exploration: Exploration, kept: set[str]) -> None:
    known = {f"{design_name(exploration, trial)}.yaml" for trial in exploration.trials}
    try:
        for name in known - kept:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise no_place(folder, error) from None


def table(exploration: Exploration, trials: Sequence[TrialRecord], checked: Notes | None = None) -> str:
    """``trials`` as CSV: what became of each, its figures, its margins to the constraints, its knobs.

    A margin is the amount over the bound: at most 0 where the bound holds. A share is of what budget and
    device allow. The front's table (``checked``) has both ends of the costs' error bars, and of each
    design a front design that it leads in nothing.
    """
    given = dict.fromkeys(name for t in exploration.trials for name in t.result.figures)
    names = (*METRICS, *ROBUST, *are_own(given))
    figures = [n for n in names if n in given and n not in exploration.space.knob_names]
    bounds = list(dict.fromkeys(n for t in exploration.trials for n in t.result.violations))
    knobs = list(dict.fromkeys(n for t in exploration.trials for n in t.knobs))
    front = {trial.number for trial in exploration.front}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    is_front = checked is not None
    notes = ["verification", "no_clear_lead_over"] if is_front else []
    shared = list(dict.fromkeys(n for t in exploration.trials for n in t.result.shares))
    barred = [n for n in RESTS_ON if is_front and n in figures]
    kinds = structure_kinds(exploration) if is_front else {}
    tied = exploration.no_clear_leads if is_front else {}
    writer.writerow(
        ["id", "feasible", "on_front", *notes, "obstacle", *figures]
        + [f"over {name}" for name in bounds]
        + [f"share of {name}" for name in shared]
        + [f"{end} of {name}" for name in barred for end in ENDS]
        + knobs
    )
    for trial in trials:
        result = trial.result
        shares = result.shares
        note = [] if checked is None else [checked.get(trial.id, ""), tied.get(trial.id, "")]
        writer.writerow(
            [trial.id, _yes(result.is_feasible), _yes(trial.number in front), *note]
            + [result.infeasible_reason]
            + [number_text(result.figures.get(name)) for name in figures]
            + [number_text(result.violations.get(name)) for name in bounds]
            + [_share_text(shares.get(name)) for name in shared]
            + [text for name in barred for text in _end_texts(trial, name, kinds)]
            + [trial.knobs.get(name, "") for name in knobs]
        )
    return text.getvalue()


def _end_texts(trial: TrialRecord, figure: str, kinds: Mapping[str, str]) -> list[str]:
    return [f"{end:.6g}" for end in interval_of(trial, figure, kinds)] or [""] * len(ENDS)


def _share_text(share: float | None) -> str:
    return "" if share is None else f"{share:.4f}"


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def number_text(value: float | None) -> str:
    """A figure as text that reads back as the same number; whole numbers without a point."""
    if value is None:
        return ""
    whole = float(value).is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(value))


def verilog_workload(space: Space | Alternatives) -> str:
    """What ``bnnsim rtl`` takes for the network of a space's designs; empty where it takes none."""
    if isinstance(space, Space) and space.source.data.get("style") == "streaming":
        return workload_argument(space)
    return ""


def design_commands(space: Space, file: str, name: str) -> dict[str, str]:
    """What leads on from a design in ``file``, called ``name``, of a space: commands as a shell reads
    them, by what they make."""
    file, out = shlex.quote(file), shlex.quote(name)
    network = shlex.quote(workload_argument(space))
    commands = {
        "figures": f"bnnsim evaluate {file} {network} --timing-only",
        "report": f"bnnsim report {file} {network} --out {out}.html",
    }
    if verilog_workload(space):
        options = verilog_options(space.workload.spec)
        commands["as Verilog"] = f"bnnsim rtl {file} {network}{options} --out {out}"
    return commands


def verilog_options(workload: Workload) -> str:
    """What ``bnnsim rtl`` needs besides for a network: weights or pictures that it does not have."""
    if workload.weights is None:
        return " --weights-seed 1"
    return " --images FILE" if workload.images is None else ""


def workload_argument(space: Space) -> str:
    """What the command line takes for a space's network: the shipped name, or the file."""
    name, path = space.workload.spec.name, space.workload.path
    shipped = is_shipped(name, "workload") and path in (None, find_spec(name, "workload"))
    return name if shipped or path is None else str(path)


def design_text(exploration: Exploration, trial: TrialRecord, checked: str = "") -> str:
    """A trial's architecture as a spec file, its figures in the header."""
    space = exploration.space.member(trial.knobs)
    name = design_name(exploration, trial)
    data = space.point_data(trial.knobs, name)
    origin = (
        f"trial {trial.number} of a search of space {exploration.space.name} "
        f"({exploration.sampler}, seed {exploration.seed})"
    )
    spec = point_architecture(space, trial.knobs).spec
    if isinstance(spec, StreamingArchitecture) and (spec.fifo_words or "fifo_words" in data):
        data["fifo_words"] = dict(spec.fifo_words)
    if isinstance(spec, EngineArchitecture) and is_free(spec):  # the loops that were chosen, in full
        chosen = point_design(space, trial.knobs).architecture.model_dump(
            mode="json", exclude_defaults=True, include={"programs", "layers"}
        )
        data |= chosen
    given = data.get("source")
    data["source"] = f"{origin}; space: {given}" if given else origin
    figures = trial.result.figures
    commands = design_commands(space, f"{name}.yaml", name)
    head = [
        f"{name}: found by bnnsim explore, {origin}.",
        f"{commands.pop('figures')} gives these again:",
        *(f"  {n} {number_text(v)}" for n, v in figures.items() if n not in GIVEN),
        *(f"Published, not modelled: {n} {number_text(figures[n])}." for n in GIVEN if n in figures),
        *([f"Checked: {checked}."] if checked else []),
        *(f"{what[0].upper()}{what[1:]}: {command}" for what, command in commands.items()),
    ]
    body = yaml.dump(
        data, Dumper=ScalarDumper, sort_keys=False, default_flow_style=None, width=100
    )
    return "".join(f"# {line}\n" for line in head) + schema_line("arch") + "\n" + body
