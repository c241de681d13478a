"""Spaces: fields with choices become knobs, and wrong choices are located."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_design
from bnnsim.search.points.fold_choices import TARGET
from bnnsim.search.points.folding import fold_cycles, folds
from bnnsim.search.points.point_design import point_architecture, point_design
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.alternatives import Alternatives, load_search_space
from bnnsim.search.space.space_reader import load_space
from bnnsim.spec.faults import SpecError
from bnnsim.spec.library import shipped_names

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
defaults: {fifo_words: {range: [2, 32], factor: 4}}
layers:
  fc0: {pe: divisors, simd: divisors}
  fc1: {pe: divisors, simd: 8}
  fc2: {pe: 8, simd: 8}
  fc3: {pe: 10, simd: {range: [2, 8], step: 3}}
explore: {workload: tfc, objectives: [throughput_fps, lut]}
"""


def _load(tmp_path: Path, text: str = SPACE):  # type: ignore[no-untyped-def]
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return load_space(path)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{range: [0.1, 0.3], step: 0.1}", (0.1, 0.2, 0.3)),
        ("{range: [100, 101], step: 0.25}", (100.0, 100.25, 100.5, 100.75, 101.0)),
        ("{range: [0.1, 0.9], factor: 3}", (0.1, 0.3, 0.9)),
        ("{range: [1, 7], step: 3}", (1, 4, 7)),
    ],
)
def test_ranges_end_where_they_say(tmp_path: Path, text: str, values: tuple[float, ...]) -> None:
    space = _load(tmp_path, SPACE.replace("{choose: [100, 143]}", text))
    assert space.values_at(("clock_mhz",)) == values


def test_choices_ranges_and_divisors_become_knobs(tmp_path: Path) -> None:
    space = _load(tmp_path)
    assert space.folded == ("fc0",)
    assert {knob.name: knob.values for knob in space.knobs} == {
        "clock_mhz": (100, 143),
        "defaults.fifo_words": (2, 8, 32),
        "layers.fc1.pe": (1, 2, 4, 8, 16, 32, 64),
        "layers.fc3.simd": (2, 5, 8),
    }


def test_a_point_is_an_architecture_with_every_choice_made(tmp_path: Path) -> None:
    space = _load(tmp_path)
    knobs = {
        "layers.fc0.pe": 16,
        "layers.fc0.simd": 49,
        "clock_mhz": 143,
        "defaults.fifo_words": 8,
        "layers.fc1.pe": 4,
        "layers.fc3.simd": 2,
    }
    point = space.point(knobs, "p")
    assert (point.clock_mhz, point.defaults.fifo_words) == (143, 8)
    assert (point.layers["fc0"].pe, point.layers["fc0"].simd) == (16, 49)
    assert (point.layers["fc1"].pe, point.layers["fc3"].simd) == (4, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("choose: [100, 143]", "choose: []", "yaml:5: clock_mhz.choose: expected a list of values"),
        ("choose: [100, 143]", "choose: [100, 100]", "clock_mhz.choose: expected each value once"),
        ("range: [2, 32], factor: 4", "range: [32, 2]", r"fifo_words.range: expected \[low, high\]"),
        ("factor: 4", "factor: 1", "defaults.fifo_words.factor: expected a number > 1, got 1"),
        ("factor: 4", "stepp: 4", "defaults.fifo_words: expected choose: .* or range: "),
        ("choose: [100, 143]", "choose: [fast]", "clock_mhz: expected a number, got the text 'fast'"),
        ("fc0: {pe: divisors", "fc9: {pe: divisors", "layers.fc9: expected a convolution or linear"),
        ("workload: tfc", "worklod: tfc", "explore.worklod: expected one of the keys"),
        ("workload: tfc", "workload: tfd", "explore.workload: expected a YAML file or a shipped"),
        (
            "workload: tfc",
            "landmarks: [{name: a, source: b, figures: {luts: 3}}], workload: tfc",
            r"explore.landmarks\[0\].figures.luts: expected a figure's name, got 'luts' \(nearest: lut",
        ),
        ("explore: {", "explor: {", "explore: expected this key, or a workload beside an architecture"),
    ],
)
def test_wrong_choices_are_located(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SPACE.count(old) == 1
    with pytest.raises(SpecError, match=message):
        _load(tmp_path, SPACE.replace(old, new))


NETWORK = """\
name: mine
input: {shape: [784], type: bipolar}
layers:
  - {name: fc0, op: linear, out: 64, activation: bipolar}
  - {name: fc1, op: linear, out: 64, activation: bipolar}
  - {name: fc2, op: linear, out: 64, activation: bipolar}
  - {name: fc3, op: linear, out: 10}
"""


@pytest.mark.parametrize("reference", ["mine.yaml", "nets/mine.yaml"])
def test_a_network_lies_beside_its_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / reference).write_text(NETWORK)
    monkeypatch.chdir("/")  # beside the space, wherever the command runs
    space = _load(tmp_path, SPACE.replace("workload: tfc", f"workload: {reference}"))
    assert space.workloads == ("mine",)
    assert space.explore.workload == "mine"


def test_a_space_without_a_network_takes_the_users(tmp_path: Path) -> None:
    text = SPACE.replace("workload: tfc, ", "")
    path = tmp_path / "space.yaml"
    path.write_text(text)
    assert load_space(path, "tfc").workloads == ("tfc",)
    with pytest.raises(SpecError, match=r"explore.workload: expected a network: this key, or a workload"):
        load_space(path)


def test_a_space_needs_no_source(tmp_path: Path) -> None:
    assert _load(tmp_path, SPACE.replace('source: "made for this test"\n', "")).name == "small"


def test_all_faults_of_a_space_and_its_network_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(NETWORK.replace("op: linear, out: 10", "op: linera, out: 10"))
    text = SPACE.replace("workload: tfc", "workload: mine.yaml, objektives: [lut]")
    text = text.replace("xc7z020", "xc7z020\nclok: 3").replace("[2, 8], step: 3", "[8, 2]")
    with pytest.raises(SpecError) as error:
        _load(tmp_path, text)
    found = {fault.key for fault in error.value.faults}
    assert found == {"clok", "layers.fc3.simd.range", "explore.objektives", "layers.fc3.op"}


def test_values_aims_and_devices_with_faults_come_with_the_others(tmp_path: Path) -> None:
    text = SPACE.replace("device: xc7z020", "device: {choose: [xc7z020, xc7z0200, xc7z010]}")
    text = text.replace("{choose: [100, 143]}", "{chose: [100, 143]}")
    text = text.replace("pe: divisors, simd: 8", "pe: divisors, simd: {choose: [8, eight]}")
    text = text.replace("workload: tfc", "workload: tfd, constraints: ['lutt<=4', 'lut<4', 'ff<=9']")
    text = text.replace("[throughput_fps, lut]", "[throughput_fp, 'lut:least', lut]")
    with pytest.raises(SpecError) as error:
        _load(tmp_path, text)
    assert [(fault.key, fault.line, fault.near) for fault in error.value.faults] == [
        ("device", 4, ("xc7z020", "xc7z100")),
        ("clock_mhz", 5, ("choose",)),
        ("layers.fc1.simd", 9, ()),
        ("explore.constraints[0]", 12, ("lut", "lutram")),
        ("explore.constraints[1]", 12, ()),
        ("explore.objectives[0]", 12, ("throughput_fps",)),
        ("explore.objectives[1]", 12, ()),
        ("explore.workload", 12, ("tfc",)),
    ]


def test_a_wrong_style_hides_no_fault_of_aims_or_network(tmp_path: Path) -> None:
    text = SPACE.replace("style: streaming", "style: streamin").replace("[throughput_fps", "[fps")
    with pytest.raises(SpecError) as error:
        _load(tmp_path, text.replace("workload: tfc", "workload: tfd"))
    assert [fault.key for fault in error.value.faults] == [
        "style",
        "explore.objectives[0]",
        "explore.workload",
    ]


def test_a_mapping_that_is_no_choice_says_which_choices_there_are(tmp_path: Path) -> None:
    message = r"clock_mhz: expected a number, or choose, range or knob, got a mapping with the key chose"
    with pytest.raises(SpecError, match=message + r" \(nearest: choose"):
        _load(tmp_path, SPACE.replace("{choose: [100, 143]}", "{chose: [100, 143]}"))


def _folded_spaces() -> list[str]:
    spaces = [load_search_space(name) for name in shipped_names("space")]
    return [s.name for s in spaces if not isinstance(s, Alternatives) and s.folded]


@pytest.mark.parametrize("name", _folded_spaces())
def test_seeds_of_a_shipped_space_meet_their_targets_with_folds_that_none_undercuts(
    name: str,
) -> None:
    space = load_space(name)
    encoding = TargetEncoding(space, bounds={"bram18": 280})
    seeds = encoding.seeds(40)
    assert 5 <= len(seeds) <= 40
    for seed in seeds:
        target = encoding.choices.targets[seed[TARGET]]
        for layer, fold in encoding.folding(seed).items():
            rows = {(r.fold.pe, r.fold.simd): r for r in encoding.choices.tables.rows[layer]}
            chosen = rows[fold.pe, fold.simd]
            assert fold_cycles(space.network.nodes[layer], fold.pe, fold.simd) <= target
            assert not any(
                row.fold.cycles <= target
                and row.logic < chosen.logic
                and row.memory <= chosen.memory
                for row in rows.values()
            )


def test_a_layer_can_have_each_fold_that_none_undercuts_with_some_style() -> None:
    choices = TargetEncoding(load_space("cnv-7z020")).choices
    styles = (choices.tables.rows, *choices.tables.styles)
    assert len(styles) == 4  # the first; flushing pipelines; RTL windows; memories a PE
    for layer in choices.space.folded:
        for target in choices.targets:
            wanted = set()
            for rows in styles:
                costs = {
                    (r.fold.cycles, r.fold.sides): (r.logic, r.memory, r.watts_per_mhz(target))
                    for r in rows[layer]
                    if r.fold.cycles <= target
                }
                for (_, sides), cost in costs.items():
                    if not any(
                        other != cost and all(a <= b for a, b in zip(other, cost, strict=True))
                        for other in costs.values()
                    ):
                        wanted.add((sides, cost))
            named = {row.fold.sides for row in choices.non_dominated_folds(layer, target)}
            assert named <= {sides for sides, _ in wanted}
            assert {c for _, c in wanted} == {c for s, c in wanted if s in named}  # equals: one of them


def test_a_wider_fold_that_saves_power_is_a_choice() -> None:
    """One PE of 64 lanes costs conv5 more LUTs and block RAM than one of 16, and fewer watts."""
    choices = TargetEncoding(load_space("cnv-7z020")).choices
    found = {row.fold.sides: row for row in choices.non_dominated_folds("conv5", 115_200)}
    wide, narrow = found[1, 64], found[1, 16]
    assert wide.logic > narrow.logic
    assert wide.memory > narrow.memory
    assert wide.watts_per_mhz(115_200) < narrow.watts_per_mhz(115_200)


def test_tables_add_up_to_what_a_design_uses() -> None:
    space = load_space("cnv-7z020-folding")
    encoding = TargetEncoding(space, bounds={"bram18": 280})
    tables = encoding.choices.tables
    for seed in encoding.seeds(4):
        folding = encoding.folding(seed)
        rows = [
            next(r for r in tables.rows[n] if (r.fold.pe, r.fold.simd) == (f.pe, f.simd))
            for n, f in folding.items()
        ]
        point = space.point(encoding.describe(seed), "p")
        total = estimate_resources(build_design(space.loaded(point), space.workload)).total
        assert tables.other_logic + sum(row.logic for row in rows) == total.lut
        assert tables.other_memory + sum(row.memory for row in rows) == total.bram18


def test_raw_and_encoded_spaces_name_the_same_folds() -> None:
    space = load_space("cnv-7z020-folding")
    encoding, raw = TargetEncoding(space), RawEncoding(space)
    named = {(f.pe, f.simd) for f in folds(space.network.nodes["conv1"])}
    assert len(named) == raw.sizes["pe.conv1"] * raw.sizes["simd.conv1"]
    assert set(encoding.describe(dict.fromkeys(encoding.sizes, 0))) == set(
        raw.describe(dict.fromkeys(raw.sizes, 0))
    )


def test_a_plain_architecture_with_a_workload_is_a_space_of_its_folding() -> None:
    from bnnsim.spec.library import find_spec

    space = load_space(find_spec("pynq-tfc", "architecture"), "tfc")
    assert space.folded == ("fc0", "fc1", "fc2", "fc3")
    assert space.knobs == ()
    assert space.explore.objectives == ["throughput_fps", "lut"]


_SIZED = """\
name: sized
style: streaming
device: xc7z020
clock_mhz: 100
layers: {fc0: {pe: 8, simd: 8}, fc1: {pe: 1, simd: 4}, fc2: {pe: 1, simd: 4}, fc3: {pe: 1, simd: 4}}
fifo_words: {fc0.mvau->fc1.narrow: 7, fc1.narrow->fc1.mvau: 9, fc3.mvau->sink: 3}
"""


def test_depths_of_streams_that_a_point_does_not_have_are_left_out(tmp_path: Path) -> None:
    """Sized FIFOs name converters, which are not there at other widths."""
    path = tmp_path / "sized.yaml"
    path.write_text(_SIZED)
    space = load_space(path, "tfc")
    equal = dict.fromkeys(space.knob_names, 1)
    as_written = {**equal, "layers.fc0.pe": 8, "layers.fc0.simd": 8, "layers.fc1.simd": 4}
    for knobs, deep in ((equal, {"fc3.mvau->sink": 3}), (as_written, {"fc0.mvau->fc1.narrow": 7})):
        architecture = point_architecture(space, knobs).spec
        design = build_design(architecture, space.workload)
        depths = {stream.name: stream.depth_words for stream in design.graph.streams}
        assert deep.items() <= depths.items()
        assert architecture.fifo_words.items() <= depths.items()
        assert point_design(space, knobs).graph == design.graph


def test_a_depth_of_a_stream_that_never_is_stays_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(_SIZED.replace("fc1.narrow->", "fc1.narow->"))
    match = r"sized\.yaml:6: fifo_words\.fc1\.narow->fc1\.mvau: expected a stream .*nearest: fc1\.narrow"
    with pytest.raises(SpecError, match=match):
        load_space(path, "tfc")
    space = SPACE.replace("explore:", "fifo_words: {fc0.mvau->fc9.mvau: 4}\nexplore:")
    match = r"fifo_words\.fc0\.mvau->fc9\.mvau: expected a stream between two layers' units"
    with pytest.raises(SpecError, match=match):
        _load(tmp_path, space)
