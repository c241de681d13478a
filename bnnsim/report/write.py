"""A design's page, as a script asks for it."""

from __future__ import annotations

from pathlib import Path

from bnnsim.files.whole import check_target, save_text
from bnnsim.report.page import report_html
from bnnsim.simulation import Images, Progress, RunOptions


def report(
    architecture: str | Path,
    workload: str | Path,
    out: str | Path,
    *,
    images: Images | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write one self-contained page: the answer, pipeline, timeline, FIFOs, roofline, costs, pictures.

    Args:
        architecture: a shipped name or a YAML file.
        workload: likewise.
        out: the page to write.
        images: as :func:`bnnsim.simulate` takes them.
        frames: how many of the images; default: all, or one without images.
        timing_only: leave the bits out.
        weights_seed: draws weights for a workload without any.
        progress: is called with the frames done and those in all.

    Returns:
        The page's path.

    Raises:
        SpecError: what the user gave cannot be used; every fault at once.
        InputError: where the page cannot be written.
        DeadlockError: a FIFO is too shallow (``bnnsim.timing.streaming.result``).

    Example:
        >>> from bnnsim import report
        >>> report("pynq-tfc", "tfc", "tfc.html", timing_only=True).name
        'tfc.html'
    """
    check_target(out)
    options = RunOptions(images, frames, timing_only, weights_seed, progress=progress)
    return save_text(out, report_html(architecture, workload, options))
