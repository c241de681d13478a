"""Whether a lesson is solved: ``python docs/course/check.py LESSON FILE.yaml``.

Every lesson is decided by exact cycles of the file, and by what the file must leave as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

import bnnsim
from bnnsim.timing.streaming.result import DeadlockError

HERE = Path(__file__).parent


def lesson1(file: Path) -> Iterator[str]:
    """The interval of 356 cycles, with one FIFO deeper and no more than 64 words in it."""
    old, new = _depths(HERE / "lesson1.yaml"), _depths(file)
    changed = [name for name in old if old[name] != new[name]]
    design = bnnsim.evaluate(file, "digits", timing_only=True)
    if design.initiation_interval_cycles != 356:
        yield f"a frame every {design.initiation_interval_cycles} cycles, wanted are 356"
    if len(changed) > 1 or any(new[name] > 64 for name in changed):
        yield f"one FIFO deeper, to at most 64 words, is enough; yours: {', '.join(changed)}"


def lesson2(file: Path) -> Iterator[str]:
    """At most half of the block RAM, at the same interval and folding."""
    design = bnnsim.evaluate(file, "digits", timing_only=True)
    if design.initiation_interval_cycles != 356:
        yield f"a frame every {design.initiation_interval_cycles} cycles, wanted are 356"
    if design.resources.total.bram18 > 6:
        yield f"{design.resources.total.bram18} BRAM18, wanted are at most 6"


def lesson3(file: Path) -> Iterator[str]:
    """The board's 158,100 cycles of one frame, within a thousandth."""
    cycles = bnnsim.evaluate(file, "cnv", frames=1, timing_only=True).cycles_total
    if cycles != 157_971:
        yield f"{cycles:,} cycles for a frame; the board took 158,100 ({cycles / 158_100 - 1:+.1%})"


def lesson4(file: Path) -> Iterator[str]:
    """A residual join that runs, with the least depth that does."""
    hardware = yaml.safe_load(file.read_text(encoding="utf-8"))["layers"]
    depth = hardware["short"].get("out_fifo_words", 2)
    try:
        bnnsim.evaluate(file, HERE / "residual.yaml", timing_only=True)
    except DeadlockError as error:
        yield str(error)
        return
    if depth > LEAST_DEPTH:
        yield f"it runs; {LEAST_DEPTH} words are enough, yours are {depth}"


LEAST_DEPTH = 71
"""Of the shortcut's FIFO in lesson 4: found by trying every depth; one less locks up."""


def lesson5(file: Path) -> Iterator[str]:
    """An engine that no longer waits for its memory most, its arrays as they were."""
    design = bnnsim.evaluate(file, "digits", timing_only=True)
    arrays = yaml.safe_load(file.read_text(encoding="utf-8"))["arrays"]
    if arrays != yaml.safe_load((HERE / "lesson5.yaml").read_text(encoding="utf-8"))["arrays"]:
        yield "the arrays are to stay as they are"
    if (design.initiation_interval_cycles or sys.maxsize) > MOST_CYCLES:
        yield f"a frame every {design.initiation_interval_cycles} cycles, wanted are {MOST_CYCLES}"


MOST_CYCLES = 410
"""Of a frame in lesson 5: the port of 128 bits, everything else as it was."""


def _depths(file: Path) -> dict[str, int]:
    """Depths of all streams of a design."""
    run = bnnsim.simulate(file, "digits", timing_only=True)
    return {fifo.name: fifo.depth_words for fifo in run.fifos}


LESSONS: dict[str, Callable[[Path], Iterator[str]]] = {
    "1": lesson1, "2": lesson2, "3": lesson3, "4": lesson4, "5": lesson5,
}  # fmt: skip


def main(lesson: str, file: str) -> None:
    wrong = list(LESSONS[lesson](Path(file)))
    print(f"lesson {lesson}: solved" if not wrong else f"lesson {lesson}: not yet")
    for text in wrong:
        print(f"  {text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
