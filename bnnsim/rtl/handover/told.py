"""What a check of hardware found, or why there was none, in a line."""

from __future__ import annotations

from bnnsim.rtl.verification import Verification, not_checked


def verified_text(found: Verification, units: int, streams: int) -> str:
    """Units, streams, words, cycles, simulator, differences; the first difference where there is one."""
    exact = found.exact
    text = (
        f"{found.subject}: {units} units, {streams} streams, {exact.words:,} words, "
        f"{exact.cycles:,} cycles, {found.simulator}: "
    )
    if not found.is_equal:
        wrong = exact.wrong_words + exact.wrong_write_cycles + exact.wrong_read_cycles
        return f"{text}{max(1, wrong):,} differences, the first: {found.difference}"
    if not exact.checks_cycles:
        text += "0 differences in words; cycles not checked (a freezing design's first frames alone)"
    else:
        text += "0 differences"
    if found.frames < found.asked_frames:
        text += f" in {found.frames} of {found.asked_frames} frames"
    return f"{text}; words equal too with gaps and back-pressure at random"


def not_checked_text(folder: str, was_asked: bool) -> str:
    """Why nothing was checked, and how to."""
    if was_asked:
        return not_checked(folder)
    return f"not checked, as asked; bnnsim check-rtl {folder} does"
