"""Fuzzed searches: spaces of pipelines and engines, foldings, first architectures, sweeps."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import yaml

from tests.fuzz.case import Case, run_case
from tests.fuzz.mutation import damaged_data, damaged_text
from tests.fuzz.pairs import NETWORK, PIPELINES, yaml_text
from tests.unit.design.small_engine import ENGINE, WORKLOAD

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
_ENGINE_SPACE = {
    **ENGINE,
    "arrays": {
        "pes": {
            "supported_ops": ["conv"],
            "spatial_unrolling": {
                "in_channels": {"knob": "inputs"},
                "kernel_rows": 3,
                "kernel_columns": 3,
            },
            "accumulator_bits": {"choose": [8, 12]},
        }
    },
    "buffers": {
        "weights": {
            **ENGINE["buffers"]["weights"],
            "width_bits": {"knob": "inputs", "times": 9},
            "words": {"knob": "inputs", "map": {1: 128, 2: 64, 4: 32}},
        },
        "maps": ENGINE["buffers"]["maps"],
    },
    "explore": {
        "workload": "tfc",
        "knobs": {"inputs": {"choose": [1, 2, 4]}},
        "objectives": ["throughput_fps", "lut"],
    },
}
_SPACES = (
    (_SPACE, NETWORK),
    (yaml_text(_ENGINE_SPACE), yaml_text(WORKLOAD.model_dump(mode="json", exclude_unset=True))),
)
_ONE_TRIAL = ("--trials", "1", "--jobs", "1", "--baseline", "0", "--verify", "none")
_KNOBS = (
    *("clock_mhz=50,100", "layers.conv0.pe=1,2", "layers.conv0.pe=divisors", "defaults.fifo_words=2,8"),
    *("layers.fc0.simd=1,x", "layers.conv0=1", "layers[0].pe=1", "layers.conv0.pe=1:4"),
    *("clock_mhz=1e2,0x10", "clock_mhz=nan", "clock_mhz=", "=1", "layers.é=1", "device=xc7z045,no"),
)


def space(random: Random, folder: Path) -> Case:
    """A space of designs with wrong entries, read and searched."""
    text, network = random.choice(_SPACES)
    if random.random() < 0.7:
        text = yaml_text(damaged_data(yaml.safe_load(text), random))
    else:
        text = damaged_text(text, random)
    (folder / "w.yaml").write_text(network, encoding="utf-8")
    path = folder / "space.yaml"
    path.write_text(text, "utf-8", "replace")
    return _searched(path, folder)


def folding(random: Random, folder: Path) -> Case:
    """An architecture as the space of its folding, or a network that none is given for, damaged."""
    arch, work = random.choice(PIPELINES)
    which = random.randrange(3)
    arch = damaged_data(arch, random) if which == 0 else arch
    work = damaged_data(work, random) if which else work
    path = folder / "a.yaml"
    path.write_text(yaml_text(arch), "utf-8", "replace")
    (folder / "w.yaml").write_text(yaml_text(work), "utf-8", "replace")
    if random.random() < 0.4:
        return _searched(path, folder)
    if random.random() < 0.4:
        words = ["sweep", str(path), str(folder / "w.yaml"), "--knob", random.choice(_KNOBS)]
        return Case(words, ("a.yaml", "w.yaml", "--knob", "sweep"))
    wishes: list[str] = random.choice(([], ["--fps", "1000"], ["--fps", "1e9"], ["--clock-mhz", "7"]))
    words = ["fold", str(folder / "w.yaml"), "--device", random.choice(("xc7z020", "xczu3eg")), *wishes]
    return Case([*words, "--out", str(folder / "f.yaml")], ("w.yaml", "--fps", "--clock-mhz", "fold"))


def run_right_spaces(folder: Path) -> None:
    """Search every space unchanged. Raises ``RuntimeError`` where one has no right design."""
    for text, network in _SPACES:
        (folder / "w.yaml").write_text(network, encoding="utf-8")
        (folder / "space.yaml").write_text(text, encoding="utf-8")
        outcome = run_case(_searched(folder / "space.yaml", folder))
        if outcome.code:
            raise RuntimeError(f"a space is not searched: {outcome}")
        shutil.rmtree(folder / "out")


def _searched(path: Path, folder: Path) -> Case:
    places = (path.name, "w.yaml", "explore", "objectives", "constraint")
    more = [*_ONE_TRIAL, "--out", str(folder / "out")]
    return Case(["explore", str(path), str(folder / "w.yaml"), *more], places)
