"""Fuzzed specs: small architectures and networks, each wrong in itself or wrong for the other."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.fuzz.case import Case, run_case
from tests.fuzz.mutation import NUMBERS, damaged_bytes, damaged_data, damaged_text
from tests.unit.design.small_engine import ENGINE
from tests.unit.design.small_engine import WORKLOAD as ENGINE_WORKLOAD

_NETWORK = """\
name: small
source: "made up"
input: {shape: [2, 6, 6], type: uint4}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1, activation: bipolar}
  - {name: pool0, op: max_pool, kernel: 2}
  - {name: conv1, op: conv, out: 4, kernel: [1, 3], activation: {type: uint2, compare: ">"}}
  - {name: fc0, op: linear, out: 6, activation: bipolar}
  - {name: fc1, op: linear, out: 3}
classes: [a, b, c]
"""
_PIPELINE = """\
name: small-arch
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
budget: {lut: 40000, power_w: 2.5}
defaults: {sliding_window: rtl, fifo_words: 4}
frame_source: {width_bits: 8, inter_frame_gap_steps: 3}
layers:
  conv0: {pe: 4, simd: 2, out_fifo_words: 16}
  pool0: {pool: streaming}
  conv1: {pe: 2, simd: 4, weights: lutram, units: rtl}
  fc0: {pe: 2, simd: 4}
  fc1: {pe: 3, simd: 6, accumulator_bits: 12}
fifo_words: {}
"""
_BRANCHES = """\
name: branches
input: {shape: [4, 6, 6]}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1}
  - {name: conv1, op: conv, out: 4, kernel: 1, inputs: [input]}
  - {name: sum, op: add, inputs: [conv0, conv1]}
  - {name: cut, op: threshold, activation: bipolar}
  - {name: both, op: concat, inputs: [cut, input]}
  - {name: vote, op: average_pool, kernel: global}
  - {name: fc0, op: linear, out: 4}
"""
_BRANCHED = """\
name: branched
source: "made up"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {fifo_words: 64, sliding_window: line_buffer}
layers:
  conv0: {pe: 4, simd: 4}
  conv1: {pe: 4, simd: 4}
  sum: {pe: 4}
  cut: {pe: 4}
  fc0: {pe: 1, simd: 8}
"""
_FIXED = """\
name: fixed
input: {shape: [4, 4, 4], type: fixed16.7}
layers:
  - {name: scaled, op: affine}
  - {name: bent, op: prelu}
  - {name: gated, op: gated_conv, out: 4, kernel: 3, pad: 1, inputs: [bent, scaled]}
  - {name: mean, op: mean_pool, kernel: global}
  - {name: fc0, op: fixed_linear, out: 3}
"""
_SPACE = """\
name: space
source: "made up"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
defaults: {fifo_words: {knob: depth}}
layers:
  conv0: {pe: divisors, simd: 2}
  conv1: {pe: {choose: [1, 2]}, simd: divisors}
  fc0: {pe: divisors, simd: divisors}
  fc1: {pe: 3, simd: 6}
explore:
  workload: tfc
  knobs: {depth: {choose: [2, 8]}}
  objectives: [throughput_fps, lut]
  constraints: ["lut<=40000"]
"""
PAIRS: tuple[tuple[Any, Any], ...] = (
    (yaml.safe_load(_PIPELINE), yaml.safe_load(_NETWORK)),
    (yaml.safe_load(_BRANCHED), yaml.safe_load(_BRANCHES)),
    (ENGINE, ENGINE_WORKLOAD.model_dump(mode="json", exclude_unset=True)),
    (ENGINE, yaml.safe_load(_FIXED)),
)
_TEXTS = ((_PIPELINE, _NETWORK), (_BRANCHED, _BRANCHES), (_PIPELINE, _FIXED))
_SMALL = (*range(1, 10), 12, 16, 0, -1)
"""Numbers that keep a right design small, so that it can be run."""
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's where it is there, which is ten times as fast."""
_ONE_TRIAL = ("--trials", "1", "--jobs", "1", "--baseline", "0", "--verify", "none")
_RUNS = (
    ["simulate", "--timing-only"],
    ["simulate", "--timing-only"],
    ["simulate", "--timing-only", "--frames", "3", "--executor", "simpy"],
    ["simulate", "--weights-seed", "1"],
    ["evaluate", "--timing-only"],
    ["simulate", "--print-spec"],
)


def spec_bytes(random: Random, folder: Path) -> Case:
    """The text of either file, damaged as bytes or as YAML."""
    texts = [text.encode() for text in random.choice(_TEXTS)]
    which = random.randrange(2)
    if random.random() < 0.5:
        texts[which] = damaged_bytes(texts[which], random)
    else:
        texts[which] = damaged_text(texts[which].decode(), random).encode("utf-8", "surrogatepass")
    return _case(folder, texts, ["simulate", "--timing-only"])


def spec_structure(random: Random, folder: Path) -> Case:
    """An entry of either file replaced by what it cannot be."""
    pair = list(random.choice(PAIRS))
    which = random.randrange(2)
    pair[which] = damaged_data(pair[which], random)
    texts = [_yaml(one) for one in pair]
    return _case(folder, [text.encode("utf-8", "replace") for text in texts], random.choice(_RUNS))


def cross_file(random: Random, folder: Path) -> Case:
    """Numbers of both files changed: each is right, but they hardly fit each other."""
    arch, work = random.choice(PAIRS)
    values = _SMALL if random.random() < 0.8 else NUMBERS
    arch = _renumbered(arch, random, values)
    work = _renumbered(work, random, values)
    texts = [_yaml(one).encode() for one in (arch, work)]
    return _case(folder, texts, random.choice(_RUNS))


def space_structure(random: Random, folder: Path) -> Case:
    """A space of designs with wrong entries, read and swept over."""
    space = damaged_data(yaml.safe_load(_SPACE), random)
    (folder / "w.yaml").write_text(_NETWORK, encoding="utf-8")
    path = folder / "space.yaml"
    path.write_text(_yaml(space), "utf-8", "replace")
    places = (str(path), "space.yaml", "w.yaml", "explore", "objectives", "constraint")
    more = [*_ONE_TRIAL, "--out", str(folder / "out")]
    return Case(["explore", str(path), str(folder / "w.yaml"), *more], places)


def run_right_inputs(folder: Path) -> None:
    """Run every pair unchanged, in every way, so that kernels are compiled and libraries loaded."""
    for pair in PAIRS:
        texts = [_yaml(one).encode() for one in pair]
        for command in _RUNS:
            run_case(_case(folder, texts, command))


def _yaml(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return text


def _renumbered(data: Any, random: Random, values: tuple[int, ...]) -> Any:
    """``data`` with one or two of its numbers changed."""
    from tests.fuzz.mutation import entry_at, places

    result = damaged_data(data, random, times=(0,))
    numbers = [p for p in places(result) if type(entry_at(result, p)) is int]
    for path in random.sample(numbers, min(len(numbers), random.choice((0, 1, 1, 2)))):
        entry_at(result, path[:-1])[path[-1]] = random.choice(values)
    return result


def _case(folder: Path, texts: list[bytes], command: list[str]) -> Case:
    paths = [folder / "a.yaml", folder / "w.yaml"]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    places = (*(path.name for path in paths), "--frames", "--weights-seed", "simulate")
    return Case([command[0], *map(str, paths), *command[1:]], places)
