"""Engines from a template are complete, bit-exact, fit their part, and give what their file says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from bnnsim.cli.app import run
from bnnsim.design.network.network import check_network
from bnnsim.evaluation import evaluate
from bnnsim.evaluation.figures import figures_of
from bnnsim.search.template import choice
from bnnsim.search.template.choice import FACTORS, INPUTS, OUTPUTS, new_engine, spills
from bnnsim.search.template.spec import Kind, Sizes, engine_data
from bnnsim.search.template.spill import spill_to_fit
from bnnsim.simulation import simulate
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import StageStep
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture, load_device, load_workload
from bnnsim.spec.yaml.write import architecture_text


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_template_runs_bit_exact_at_the_speed_that_it_states(kind: Kind, tmp_path: Path) -> None:
    target = tmp_path / "engine.yaml"
    arguments = ["new", "engine", "digits", "--device", "xc7z020", "--kind", kind, "--out", str(target)]
    assert run(arguments) == 0
    found = simulate(target, "digits", frames=4, executor="simpy")
    assert found.bit_exact and found.predictions == found.labels
    assert not found.outside
    alone = simulate(target, "digits", frames=1, timing_only=True)
    assert alone.cycles_total == alone.latency_cycles == found.latency_cycles
    (stated,) = re.findall(r"^# ([\d,.]+) FPS", target.read_text(), re.M)
    assert f"{found.throughput_fps:,.1f}" == stated
    evaluation = evaluate(target, "digits", timing_only=True)
    assert evaluation.feasible
    assert f"{evaluation.resources.total.lut:,} LUT" in target.read_text()


@pytest.mark.parametrize(
    ("workload", "device", "mapping"),
    [("digits", "xc7z020", "auto"), ("binarynet", "xczu3eg", None), ("fracbnn-cifar10", "xczu9eg", None)],
)
def test_sizes_that_are_not_timed_are_no_faster(
    workload: str, device: str, mapping: Literal["auto"] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[object] = []

    def counted(*given: Any) -> Any:
        timed.append(given)
        return figures_of(*given)

    monkeypatch.setattr(choice, "figures_of", counted)
    found = new_engine(workload, device, mapping=mapping)
    few = len(timed)
    monkeypatch.setattr(choice, "least_interval", lambda _: 0)  # all are timed
    assert new_engine(workload, device, mapping=mapping) == found
    assert few < len(timed) - few


def test_a_template_for_an_intel_part_says_what_it_takes_of_that(tmp_path: Path) -> None:
    target = tmp_path / "engine.yaml"
    assert run(["new", "engine", "digits", "--device", "5sgsd8", "--out", str(target)]) == 0
    total = evaluate(target, "digits", timing_only=True).resources.total
    assert total.alm and total.m20k
    assert f" MHz, {total.alm:,} ALM, {total.m20k:,} M20K: the fastest" in target.read_text()


@pytest.mark.parametrize(
    ("workload", "device"), [("binarynet", "xczu3eg"), ("fracbnn-cifar10", "xczu9eg"), ("tfc", "xc7z020")]
)
def test_without_a_kind_the_fastest_of_all_is_taken(workload: str, device: str) -> None:
    fastest = new_engine(workload, device)
    one = new_engine(workload, device, "output-stationary")
    assert fastest.fps >= one.fps
    assert 0 < one.tried <= len(OUTPUTS) * len(INPUTS) * len(FACTORS)
    assert one.tried < fastest.tried
    text = fastest.text()
    assert "max_burst_words: 256" in text and "in_place: false" in text  # defaults too


def test_the_file_of_a_template_is_the_spec_that_was_timed(tmp_path: Path) -> None:
    found = new_engine("tfc", "xc7z020", "output-stationary", clock_mhz=100, name="mine")
    (tmp_path / "mine.yaml").write_text(found.text())
    assert load_architecture(tmp_path / "mine.yaml").spec == found.spec
    assert found.spec.clock_mhz == 100 and found.spec.name == "mine"


def test_with_loops_left_to_the_tool_the_engine_is_faster_and_still_exact(tmp_path: Path) -> None:
    before = new_engine("digits", "xc7z020", "weight-stationary")
    found = new_engine("digits", "xc7z020", "weight-stationary", mapping="auto")
    assert found.fps > before.fps and "loops chosen layer by layer" in found.text()
    target = tmp_path / "mapped.yaml"
    target.write_text(found.text())
    run_ = simulate(target, "digits", frames=4, executor="simpy")
    assert run_.bit_exact and run_.predictions == run_.labels
    assert run_.throughput_fps == pytest.approx(found.fps)


def test_a_network_too_large_for_its_part_is_refused_with_what_runs_out() -> None:
    with pytest.raises(InputError, match=r"--device: expected a part that holds .* xc7z010 \(.*bram18"):
        new_engine("fracbnn-imagenet", "xc7z010", "output-stationary")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--clock-mhz", "nan", "--clock-mhz: expected above 0, to 2000 MHz, got nan"),
        ("--clock-mhz", "0", "--clock-mhz: expected above 0, to 2000 MHz, got 0"),
        ("--name", "a/b", "--name: expected"),
        ("--device", "nosuch", "nosuch: expected a YAML file or a shipped device"),
    ],
)
def test_what_cannot_be_is_one_line(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--device": "xc7z020", option: value}
    assert run(["new", "engine", "tfc", *(word for pair in given.items() for word in pair)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(expected)


RESIDUAL = """
name: residual
input: {shape: [3, 12, 12], type: uint8}
layers:
  - {name: stem, op: conv, out: 8, kernel: 3, pad: 1, weight: int8}
  - {name: stem_bn, op: affine, multiplier_bits: 16, shift_bits: 14, bias_bits: 16}
  - {name: sign1, op: threshold, activation: bipolar}
  - {name: conv1, op: conv, out: 8, kernel: 3, pad: 1, pad_value: 0}
  - {name: bn1, op: affine}
  - {name: add1, op: add, inputs: [bn1, stem_bn]}
  - {name: sign2, op: threshold, activation: bipolar}
  - {name: conv2, op: conv, out: 8, kernel: 3, pad: 1, pad_value: 0}
  - {name: bn2, op: affine}
  - {name: add2, op: add, inputs: [bn2, add1]}
  - {name: pool, op: mean_pool, kernel: 2, rounding: half_up, inputs: [add2]}
  - {name: project, op: conv, out: 8, kernel: 1, weight: int8}
  - {name: project_bn, op: affine, multiplier_bits: 16, shift_bits: 14, bias_bits: 16}
  - {name: sign3, op: threshold, activation: bipolar, inputs: [add2]}
  - {name: conv3, op: conv, out: 8, kernel: 3, stride: 2, pad: 1, pad_value: 0}
  - {name: bn3, op: affine}
  - {name: add3, op: add, inputs: [bn3, project_bn]}
  - {name: mean, op: mean_pool, kernel: global, rounding: half_up}
  - {name: classes, op: linear, out: 5, weight: int8}
"""


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("room_bits", [20_000, 6_000])
def test_maps_that_do_not_fit_wait_in_dram_and_come_back(
    kind: Kind, room_bits: int, tmp_path: Path
) -> None:
    (tmp_path / "net.yaml").write_text(RESIDUAL)
    network, _ = check_network(load_workload(tmp_path / "net.yaml"))
    assert network is not None
    spill = spill_to_fit(network, room_bits)
    assert spill is not None and spill.maps and spill.kept_bits <= room_bits
    part = load_device("xc7z020").spec
    data = engine_data(network, part, kind, Sizes(4, 16, 4), 100, "spilling", spill)
    spec = EngineArchitecture.model_validate(data)
    (tmp_path / "a.yaml").write_text(architecture_text(spec, (), with_defaults=True))
    found = simulate(tmp_path / "a.yaml", tmp_path / "net.yaml", weights_seed=1, frames=2)
    assert found.bit_exact and not found.outside and found.memory_map is not None
    places = found.memory_map.places
    assert {p.name for p in places if p.way == "spilled"} == spill.maps
    bits = {n: network.tensor(n).elements * network.tensor(n).type.bits for n in spill.maps}
    stored = [c for c in found.memory_map.crossings if c.direction == "store" and c.payload != "results"]
    # each map once, up to whole words of the port in every transfer
    assert sum(bits.values()) <= sum(c.words for c in stored) * 64 < 2 * sum(bits.values()) + 64 * 100
    maps = next(m for m in found.memory_map.memories if m.name == "maps")
    assert maps.highest_bits <= (maps.capacity_bits or 0) < room_bits + 64


def test_where_all_maps_fit_none_is_spilled() -> None:
    network, _ = check_network(load_workload("binarynet"))
    assert network is not None
    first, *fewer = spills(network)
    # conv1's 128 maps of 32 x 32 and conv2's pooled ones, or the image of 20-bit pixels with conv1's
    assert not first.maps and first.kept_bits == 128 * 32 * 32 + 3 * 32 * 32 * 20
    assert all(spill.maps and spill.kept_bits < first.kept_bits for spill in fewer)


def test_a_matrix_product_has_a_turn_of_its_own_with_every_term(tmp_path: Path) -> None:
    """6 x 6 scores of 4 terms in two heads: a stage's, some output channels of a head at a time."""
    path = tmp_path / "n.yaml"
    path.write_text(
        "name: n\ninput: {shape: [8, 6, 1], type: bipolar}\nlayers:\n"
        "  - {name: keys, op: conv, out: 8, kernel: 1, activation: bipolar}\n"
        "  - {name: scores, op: matmul, transposed: true, heads: 2, inputs: [input, keys]}\n"
        "  - {name: sign, op: threshold, activation: bipolar}\n"
    )
    found = new_engine(path, "xc7z020")
    (step,) = found.spec.programs[str(found.spec.layers["scores"].program)].steps
    assert isinstance(step, StageStep)
    assert {loop.dimension for loop in step.loops} >= {"groups", "out_channels", "in_channels", "rows"}
    assert found.spec.layers["sign"].within == "scores"
    assert simulate(found.spec, load_workload(path).spec, frames=2, weights_seed=1).bit_exact
