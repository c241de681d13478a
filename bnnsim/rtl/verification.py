"""Co-verification: a written design in its bench, against the simulation's words and cycles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bnnsim.rtl.simulators import SIMULATORS, BenchResult, Simulator, build_bench, run_bench
from bnnsim.rtl.synthesis import netlist_files, synthesise
from bnnsim.rtl.tools import find_tool, missing

ICARUS_WORDS = 200_000
"""Words of a run that Icarus is asked to simulate; of a longer one it runs the first frames."""


@dataclass(frozen=True)
class Verification:
    """What a simulator said of a design: undisturbed, and with gaps and back-pressure at random.

    ``stalled`` is None where the undisturbed run already differs. ``subject`` is ``Verilog`` or
    ``netlist of Yosys ...``.
    """

    subject: str
    simulator: str
    frames: int
    asked_frames: int
    exact: BenchResult
    stalled: BenchResult | None

    @property
    def is_equal(self) -> bool:
        return self.exact.is_equal and self.stalled is not None and self.stalled.is_equal

    @property
    def difference(self) -> str:
        """The first difference: its stream, word and cycle."""
        found = [*self.exact.differences, *(self.stalled.differences if self.stalled else ())]
        return found[0] if found else "the bench did not see the end of the run"


def chosen_simulator(asked: Simulator | None = None) -> Simulator | None:
    """The simulator asked for, or the fastest that is there; None where it is missing."""
    names = (asked,) if asked else SIMULATORS
    return next((name for name in names if find_tool(name)), None)


def not_checked(folder: Path | str, asked: Simulator | None = None) -> str:
    """What stands in the place of a verification where no simulator is found."""
    names = (asked,) if asked else SIMULATORS
    return f"not checked: no simulator found; {missing(names)}, then: bnnsim check-rtl {folder}"


def verify(
    folder: Path, simulator: Simulator, frames: int, words: int, netlist: bool = False
) -> Verification:
    """Build and run the bench of the project in ``folder``, of ``frames`` frames and ``words`` words.

    A ``netlist`` is synthesised first. Raises :class:`~bnnsim.rtl.simulators.SimulatorError` where the
    simulator refuses the Verilog, :class:`~bnnsim.rtl.synthesis.SynthesisError` where Yosys does.
    """
    subject, build, files = "Verilog", "build", list[str]()
    if netlist:
        subject, build = f"netlist of {synthesise(folder).tool}", "build-netlist"
        files = netlist_files(folder)
    tool = find_tool(simulator)
    assert tool is not None
    build_bench(folder, simulator, files, build)
    run = frames
    if simulator == "icarus" and words > ICARUS_WORDS:
        run = max(1, frames * ICARUS_WORDS // words)
    few = (f"+frames={run}",) if run < frames else ()
    exact = run_bench(folder, simulator, few, build)
    stalled = None
    if exact.is_equal:
        stalled = run_bench(folder, simulator, (*few, "+gaps", "+pressure"), build)
    return Verification(subject, str(tool), run, frames, exact, stalled)
