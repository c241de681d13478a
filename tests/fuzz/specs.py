"""Fuzzed specs: small architectures and networks, each wrong in itself or wrong for the other."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import Any

from bnnsim.spec.library import shipped_folder
from tests.fuzz.case import Case, run_case
from tests.fuzz.mutation import NUMBERS, damaged_bytes, damaged_data, damaged_text, entry_at, places
from tests.fuzz.pairs import ENGINES, PAIRS, PIPELINES, TEXTS, yaml_text

_SMALL = (*range(1, 10), 12, 16, 0, -1)
"""Numbers that keep a right design small, so that it can be run."""
RUNS = (
    ["simulate", "--timing-only"],
    ["simulate", "--timing-only"],
    ["simulate", "--timing-only", "--frames", "3", "--executor", "simpy"],
    ["simulate", "--weights-seed", "1"],
    ["evaluate", "--timing-only"],
    ["simulate", "--print-spec"],
)
LOOKS = (
    ["evaluate", "--timing-only", "--advise"],
    ["evaluate", "--weights-seed", "1", "--json", "{out}.json"],
    ["report", "--timing-only", "--out", "{out}.html"],
    ["trace", "--weights-seed", "1", "--vcd", "{out}.vcd", "--perfetto", "{out}.json"],
    ["trace", "--timing-only", "--from", "2", "--to", "40", "--vcd", "{out}.vcd"],
    ["vectors", "--weights-seed", "1", "--out", "{out}"],
    ["fifos", "--out", "{out}.yaml"],
    ["sweep", "--knob", "clock_mhz=50,100"],
)


def spec_bytes(random: Random, folder: Path) -> Case:
    """The text of either file, damaged as bytes or as YAML."""
    texts = [text.encode() for text in random.choice(TEXTS)]
    which = random.randrange(2)
    kind = random.random()
    if kind < 0.4:
        texts[which] = damaged_bytes(texts[which], random)
    elif kind < 0.9:
        texts[which] = damaged_text(texts[which].decode(), random).encode("utf-8", "surrogatepass")
    else:
        texts[which] = _grown(texts[which].decode(), random)
    return case_of(folder, texts, ["simulate", "--timing-only"])


def spec_structure(random: Random, folder: Path) -> Case:
    """An entry of either file replaced by what it cannot be."""
    pair = list(random.choice(PAIRS))
    which = random.randrange(2)
    pair[which] = damaged_data(pair[which], random)
    texts = [yaml_text(one) for one in pair]
    return case_of(folder, [text.encode("utf-8", "replace") for text in texts], random.choice(RUNS))


def cross_file(random: Random, folder: Path) -> Case:
    """Numbers of both files changed: each is right, but they hardly fit each other."""
    return case_of(folder, _renumbered_texts(random, PAIRS), random.choice(RUNS))


def mixed_pair(random: Random, folder: Path) -> Case:
    """Layers of other networks, programs of other engines: whole parts of one file in another."""
    pair = [damaged_data(one, random, times=(0,)) for one in random.choice(PAIRS)]
    for which in (0, 1):
        other = random.choice(PAIRS)[which]
        path = random.choice(places(pair[which]))
        there = random.choice(places(other))
        if random.random() < 0.7:  # the same place, if the other has it
            there = path if path in places(other) else there
        entry_at(pair[which], path[:-1])[path[-1]] = entry_at(other, there)
    texts = [yaml_text(one).encode("utf-8", "replace") for one in pair]
    return case_of(folder, texts, random.choice(RUNS))


def looked_at(random: Random, folder: Path) -> Case:
    """Designs that may run, through the commands that show and hand over."""
    command = [word.format(out=folder / "made") for word in random.choice(LOOKS)]
    pairs = PIPELINES if random.random() < 0.75 else ENGINES
    return case_of(folder, _renumbered_texts(random, pairs), command)


def device(random: Random, folder: Path) -> Case:
    """A right pair, or a folding, on a device whose file is damaged."""
    texts = [yaml_text(one).encode() for one in random.choice(PIPELINES)]
    text = (shipped_folder("device") / "xc7z020.yaml").read_text(encoding="utf-8")
    path = folder / "part.yaml"
    if random.random() < 0.5:
        path.write_bytes(damaged_text(text, random).encode("utf-8", "surrogatepass"))
    else:
        import yaml

        path.write_text(yaml_text(damaged_data(yaml.safe_load(text), random)), "utf-8", "replace")
    texts[0] = texts[0].replace(b"device: xc7z020", b"device: part.yaml")
    case = case_of(folder, texts, random.choice((["evaluate", "--timing-only"], ["simulate"])))
    arguments = case.arguments
    if random.random() < 0.4:
        arguments = ["fold", str(folder / "w.yaml"), "--device", path.name]
        arguments += ["--out", str(folder / "f.yaml")]
    return Case(arguments, (*case.places, "part.yaml", "device"))


def run_right_inputs(folder: Path) -> None:
    """Run every pair unchanged, in every way, so that kernels are compiled and libraries loaded.

    Raises ``RuntimeError`` where one does not run: whatever stands behind its fault is then not reached.
    """
    for number, pair in enumerate(PAIRS):
        texts = [yaml_text(one).encode() for one in pair]
        looks = [] if number else [[w.format(out=folder / "made") for w in look] for look in LOOKS]
        for command in (*RUNS, *looks):
            outcome = run_case(case_of(folder, texts, command))
            if outcome.code:
                raise RuntimeError(f"{pair[0]['name']} does not {' '.join(command)}: {outcome}")
    shutil.rmtree(folder / "made", ignore_errors=True)


def _grown(text: str, random: Random) -> bytes:
    """A file with much more in it than one that somebody wrote: aliases, nesting, length."""
    match random.randrange(5):
        case 0:
            levels = [f"a0: &a0 [{', '.join(['x'] * 9)}]"]
            for i in range(1, random.choice((3, 9, 30))):
                levels.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]")
            text = "\n".join((*levels, text))
        case 1:
            depth = random.choice((50, 99, 101, 5000))
            text += f"deep: {random.choice('[{') * depth}\n"
        case 2:
            text += "".join(f"k{i}: {i}\n" for i in range(random.choice((100, 3000))))
        case 3:
            text = text.replace("layers:", "layers: &l\n" if random.random() < 0.5 else "layers: &l", 1)
            text += random.choice(("<<: *l\n", "again: *l\n", "self: &s [*s]\n", "? *l\n: 1\n"))
        case _:
            letters = random.choice(("é", "名", "𝔘", "x" * 200, "\u202e"))
            text = text.replace("name: ", f"name: {letters}", 2)
    encoding = random.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"))
    return text.encode(encoding, "replace")


def _renumbered_texts(random: Random, pairs: tuple[tuple[Any, Any], ...]) -> list[bytes]:
    values = _SMALL if random.random() < 0.8 else NUMBERS
    return [yaml_text(_renumbered(one, random, values)).encode() for one in random.choice(pairs)]


def _renumbered(data: Any, random: Random, values: tuple[int, ...]) -> Any:
    """``data`` with one or two of its numbers changed."""
    result = damaged_data(data, random, times=(0,))
    numbers = [p for p in places(result) if type(entry_at(result, p)) is int]
    for path in random.sample(numbers, min(len(numbers), random.choice((0, 1, 1, 2)))):
        entry_at(result, path[:-1])[path[-1]] = random.choice(values)
    return result


def case_of(folder: Path, texts: list[bytes], command: list[str]) -> Case:
    paths = [folder / "a.yaml", folder / "w.yaml"]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    places = (*(path.name for path in paths), "--frames", "--weights-seed", command[0])
    return Case([command[0], *map(str, paths), *command[1:]], places)
