"""A design as Verilog, as a script asks for it."""

from __future__ import annotations

from pathlib import Path

from bnnsim.rtl.handover.record import HardwareCheck, hardware_check
from bnnsim.rtl.handover.write import write_rtl
from bnnsim.simulation import Images, Progress, RunOptions


def rtl(
    architecture: str | Path,
    workload: str | Path,
    out: str | Path,
    *,
    images: Images | None = None,
    frames: int | None = None,
    weights_seed: int | None = None,
    check: bool = True,
    synthesise: bool = False,
    progress: Progress | None = None,
) -> HardwareCheck:
    """Write a design as Verilog with its bench, and hold every word and cycle against the simulation.

    Args:
        architecture: a shipped name or a YAML file of a pipeline.
        workload: likewise.
        out: a folder that is new or empty; it appears whole or not at all.
        images: as :func:`bnnsim.simulate` takes them.
        frames: how many of the images; default: all, or one without images.
        weights_seed: draws weights for a workload without any.
        check: run the bench, where Verilator or Icarus Verilog is found.
        synthesise: count cells with Yosys and write a netlist.
        progress: is called with the frames done and those in all.

    Returns:
        What the bench found: ``verdict`` is ``equal``, ``differs`` (with the first difference) or
        ``not_checked``.

    Raises:
        SpecError: what the user gave cannot be used; every fault at once.
        InputError: for engines, where there are no weights or images, or ``out`` is not empty.
        SimulatorError: where a simulator breaks off (``bnnsim.rtl.simulators``).
        SynthesisError: where Yosys does (``bnnsim.rtl.synthesis``).

    Example:
        >>> from bnnsim import rtl
        >>> rtl("digits-7z020", "digits", "digits-hardware", frames=1, check=False).verdict
        'not_checked'
    """
    options = RunOptions(images, frames, weights_seed=weights_seed, progress=progress)
    written = write_rtl(architecture, workload, Path(out), options, check, synthesise)
    return hardware_check(str(out), written.units, written.streams, written.verification)
