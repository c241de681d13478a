"""The fuzzer: ``python -m tests.fuzz --seconds 60 --seed 1``.

Input number i of a seed is the same on every machine, however far a run gets. A child process runs the
commands; the parent notices where one hangs or takes the child down. Seconds in the table are processor
time. ``--only i`` runs one input again and leaves its files.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing as mp
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.fuzz import arrays, commands, frameworks, integers, models, places, searches, specs
from tests.fuzz.case import MOST_BYTES, Case, Kind, Outcome, run_case

KINDS = (
    Kind("spec bytes", 150, specs.spec_bytes),
    Kind("spec structure", 190, specs.spec_structure),
    Kind("cross-file", 150, specs.cross_file),
    Kind("mixed pair", 60, specs.mixed_pair),
    Kind("looked at", 30, specs.looked_at),
    Kind("integers", 60, integers.integers),
    Kind("device", 20, specs.device),
    Kind("space", 12, searches.space),
    Kind("folding", 18, searches.folding),
    Kind("npz", 70, arrays.weights),
    Kind("images", 70, arrays.images),
    Kind("ONNX", 90, models.onnx_model),
    Kind("check", 20, models.held_against),
    Kind("h5", 50, frameworks.keras_h5),
    Kind("keras", 60, frameworks.keras_archive),
    Kind("lambda", 20, frameworks.keras_lambda),
    Kind("framework", 40, frameworks.framework_file),
    Kind("places", 30, places.places),
    Kind("arguments", 76, commands.arguments),
    Kind("journal", 4, commands.journal),
)
_TABLE_EVERY = 5000
"""Inputs between two tables of a long run."""
_LONGEST_WALL_S = 300.0
"""A child that says nothing for so long hangs; far above what is allowed, as machines may be busy."""
_MUCH_WORK_CYCLES = 1_000_000
"""What SimPy runs through in about a minute."""
_TIMING_S = 120
"""Processor time in which the timing alone of so much work ends."""


def main() -> int:
    options = _options()
    kinds = [kind for kind in KINDS if not options.kinds or kind.name in options.kinds]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        os.environ["FUZZ_FOLDER"] = name
        if options.only is not None:
            kept = Path(tempfile.mkdtemp(prefix="fuzz-case-"))
            kind, outcome = _run_one(options.seed, options.only, kinds, kept)
            print(f"{kind.name}: exit code {outcome.code}, {outcome.seconds:.2f} s, files in {kept}")
            print(outcome.failure or "nothing wrong")
            return 1 if outcome.failure else 0
        return _run_many(options, kinds, Path(name))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=10**9, help="stop after so many inputs")
    parser.add_argument("--start", type=int, default=0, help="the first input's number")
    parser.add_argument("--kinds", nargs="*", help="only these: " + ", ".join(k.name for k in KINDS))
    parser.add_argument("--only", type=int, help="run this one input and keep its files")
    return parser.parse_args()


def _chosen(seed: int, number: int, kinds: list[Kind]) -> tuple[Kind, Random]:
    random = Random(f"{seed}:{number}")
    return random.choices(kinds, [kind.share for kind in kinds])[0], random


def _run_one(seed: int, number: int, kinds: list[Kind], folder: Path) -> tuple[Kind, Outcome]:
    kind, random = _chosen(seed, number, kinds)
    try:
        case = kind.make(random, folder)
    except Exception:  # the fuzzer's own fault, which is a failure as well
        return kind, Outcome(-1, 0.0, 0, f"no input was made: {traceback.format_exc()[-1200:]}")
    with contextlib.chdir(folder):  # what a command writes without being told where
        return kind, run_case(case)


def _worker(
    pipe: Connection, seed: int, start: int, end: int, kinds: list[Kind], folder: Path
) -> None:
    """Run inputs and send (number, kind, outcome) of each; no more address space than is allowed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries write there below Python
    limited = False
    for number in range(start, end):
        here = folder / "case"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        kind, outcome = _run_one(seed, number, kinds, here)
        pipe.send((number, kind.name, outcome))
        if not limited and number > start + 50:  # libraries are loaded by now
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))
            limited = True
    pipe.send(None)


def _run_many(options: argparse.Namespace, kinds: list[Kind], folder: Path) -> int:
    counts: Counter[str] = Counter()
    codes: Counter[tuple[str, int]] = Counter()
    longest: dict[str, float] = defaultdict(float)
    spent: dict[str, float] = defaultdict(float)
    peak_bytes = 0
    failures: list[tuple[int, str, str]] = []
    # Once, before the first child: children are made from a process that has loaded and compiled all.
    commands.study()
    specs.run_right_inputs(folder)
    searches.run_right_spaces(folder)
    number, end = options.start, options.start + options.inputs
    begun = time.monotonic()
    context = mp.get_context("fork")
    while number < end and time.monotonic() - begun < options.seconds:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(
            target=_worker, args=(theirs, options.seed, number, end, kinds, folder)
        )
        child.start()
        theirs.close()
        while True:
            left = options.seconds - (time.monotonic() - begun)
            if left <= 0:
                break
            try:
                message = ours.recv() if ours.poll(_LONGEST_WALL_S) else ()
            except EOFError:
                message = ("died",)
            if message is None:
                number = end
                break
            if len(message) < 2:
                kind = _chosen(options.seed, number, kinds)[0].name
                child.kill()
                child.join()
                reason = f"ended its process ({child.exitcode})" if message else "no end"
                counts[kind] += 1
                if message or not _is_much_work(options.seed, number, kinds, folder / "case"):
                    failures.append((number, kind, reason))
                number += 1
                break
            number, kind, outcome = message
            counts[kind] += 1
            codes[kind, outcome.code] += 1
            spent[kind] += outcome.seconds
            longest[kind] = max(longest[kind], outcome.seconds)
            peak_bytes = max(peak_bytes, outcome.peak_bytes)
            is_late = outcome.failure.startswith("late: ")
            if outcome.failure and not (
                is_late and _is_much_work(options.seed, number, kinds, folder / "again")
            ):
                failures.append((number, kind, outcome.failure))
            number += 1
            if (number - options.start) % _TABLE_EVERY == 0:
                done = number - options.start
                _report(options.seed, counts, codes, spent, longest, peak_bytes, failures, done)
        child.kill()
        child.join()
    done = number - options.start
    _report(options.seed, counts, codes, spent, longest, peak_bytes, failures, done)
    return 1 if failures else 0


def _is_much_work(seed: int, number: int, kinds: list[Kind], here: Path) -> bool:
    """Whether an input without an end, or a late one, asks for millions of cycles word by word.

    Then timing alone ends, and says how many, or after how many the pipeline locks up.
    """
    arguments = _chosen_case(seed, number, kinds, here).arguments
    is_timing = "--timing-only" in arguments and "simpy" not in arguments
    if arguments[0] in ("trace", "vectors", "report", "fifos"):  # which run what simulate runs
        arguments = ["simulate", *arguments[1:3]]
        is_timing = False
    if arguments[0] not in ("simulate", "evaluate") or is_timing:
        return False
    limits = ["prlimit", f"--cpu={_TIMING_S}"]
    timing = ["--timing-only", "--executor", "compiled"]
    command = [*limits, sys.executable, "-m", "bnnsim", *arguments, *timing]
    ended = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    total = re.search(
        r"^total +([0-9,]+) cycles|nothing moves after cycle ([0-9]+)",
        ended.stdout + ended.stderr,
        re.MULTILINE,
    )
    cycles = int((total[1] or total[2]).replace(",", "")) if total else 0
    print(f"--seed {seed} --only {number}: {cycles:,} cycles word by word, not waited for", flush=True)
    return ended.returncode in (0, 1) and cycles >= _MUCH_WORK_CYCLES


def _chosen_case(seed: int, number: int, kinds: list[Kind], here: Path) -> Case:
    kind, random = _chosen(seed, number, kinds)
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    return kind.make(random, here)


def _one_of_each(failures: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The first failure of each kind of message: what follows a place and numbers does not count."""
    first: dict[str, tuple[int, str, str]] = {}
    for failure in failures:
        last = failure[2].strip().splitlines()[-1]
        words = re.sub(r"\S*/\S*|[0-9]+", "_", last)
        first.setdefault(f"{failure[1]} {words[:80]}", failure)
    return list(first.values())


def _report(
    seed: int,
    counts: Counter[str],
    codes: Counter[tuple[str, int]],
    spent: dict[str, float],
    longest: dict[str, float],
    peak_bytes: int,
    failures: list[tuple[int, str, str]],
    inputs: int,
) -> None:
    wrong = Counter(kind for _, kind, _ in failures)
    print(f"{'kind':<16} {'inputs':>8} {'exit 0':>8} {'1':>6} {'2':>8} {'failures':>8}   longest    mean")
    for kind, count in counts.items():
        shown = [codes[kind, code] for code in (0, 1, 2)]
        print(
            f"{kind:<16} {count:>8,} {shown[0]:>8,} {shown[1]:>6,} {shown[2]:>8,} {wrong[kind]:>8,} "
            f"{longest[kind]:>7.2f} s {spent[kind] / count * 1e3:>6.1f} ms"
        )
    print(f"{'all':<16} {inputs:>8,} inputs, {len(failures)} failures, peak {peak_bytes / 2**20:.0f} MiB")
    for position, kind, failure in _one_of_each(failures)[:40]:
        print(f"\n--seed {seed} --only {position} ({kind}): {failure}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
