"""Advice: each was tried, and says what it brings."""

from __future__ import annotations

from fractions import Fraction

import pytest

import bnnsim
from bnnsim.cli.app import run
from bnnsim.design.build import build_design
from bnnsim.evaluation.advice.advise import advise
from bnnsim.evaluation.advice.record import Advice, AdviceReport, SpecChange
from bnnsim.evaluation.advice.trials import Change, Trials, Tried, changed, what_limits
from bnnsim.evaluation.figures import DesignFigures
from bnnsim.simulation import RunOptions, TimingOnly, load_design, simulate_design
from bnnsim.spec.architecture import Architecture

DESIGNS = [
    ("pynq-tfc", "tfc"),  # matrix units
    ("digits-7z020", "digits"),  # a window
    ("finn-sfc-max", "mlp-256"),  # the source, matrix units and converters, all alike
    ("li-vx690t", "binarynet-streaming"),  # five matrix units
    ("acce-bnn", "binarynet"),  # an engine whose port counts most
    ("fbna", "binarynet-24"),  # an engine that loads beside its array
    ("fp-bnn", "binarynet"),  # an engine whose array counts most
]


def _made(spec: Architecture, changes: tuple[SpecChange, ...]) -> Architecture:
    """An architecture with what an advice says, read from its words."""
    for change in changes:
        place = change.key.split(".")
        if place[0] == "fifo_words":
            place = ["fifo_words", change.key.removeprefix("fifo_words.")]
        after: object = change.after
        if change.after in ("true", "false"):
            after = change.after == "true"
        elif change.key == "clock_mhz":
            after = float(change.after)
        elif change.after.isdigit():
            after = int(change.after)
        spec = changed(spec, tuple(place), after)
    return spec


@pytest.mark.parametrize(("quarters", "limits"), [(41, "window"), (42, "FIFOs"), (44, "FIFOs")])
def test_fifos_limit_where_the_interval_is_longer_by_less_than_a_cycle(
    quarters: int, limits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    design, _ = load_design("pynq-tfc", "tfc")
    figures = {"initiation_interval_cycles": 11.0}
    tried = Tried(design, DesignFigures(figures, {}, {}, Fraction(quarters, 4)))
    slowest = Fraction(41, 4), ("window",)  # 10.25 cycles, which are 11 as well once rounded up
    monkeypatch.setattr("bnnsim.evaluation.advice.trials.slowest", lambda graph: slowest)
    assert what_limits(tried) == limits


@pytest.mark.parametrize(("arch", "workload"), DESIGNS)
def test_what_an_advice_says_comes_true_when_it_is_followed(arch: str, workload: str) -> None:
    design, _ = load_design(arch, workload)
    options = RunOptions(timing_only=True)
    before = simulate_design(design, TimingOnly(), options)
    report = advise(design)
    assert report.advice, report.lines
    for advice in report.advice:
        spec = _made(design.architecture, advice.changes)
        after = simulate_design(build_design(spec, design.network.workload), TimingOnly(), options)
        assert after.initiation_interval_cycles == advice.initiation_interval_cycles
        assert before.throughput_fps and after.throughput_fps
        assert after.throughput_fps > before.throughput_fps
        assert f"{before.throughput_fps:,.0f} -> {after.throughput_fps:,.0f} FPS" in advice.text
        assert after.bottleneck is not None
        named = after.bottleneck.limiting_units or ("FIFOs",)
        assert all(name in advice.then_limits for name in named)


def test_a_second_buffer_is_not_advised_where_there_is_one() -> None:
    design, _ = load_design("fbna", "binarynet-24")
    report = advise(design)
    assert not any("double" in text and "weights" in text for text in report.tried)
    assert any("double false -> true of wt_mem" in a.text for a in _advised("acce-bnn", "binarynet"))


def _advised(arch: str, workload: str) -> tuple[Advice, ...]:
    return advise(load_design(arch, workload)[0]).advice


def test_where_nothing_helps_it_tells_what_was_refused_from_what_is_no_faster() -> None:
    tried = ("simd 3 -> 9 of conv0", "pe 1 -> 2 of conv1", "pe 4 -> 8 of fc0")
    (line,) = AdviceReport((), 3, 2, tried, tried[:1], tried[2:]).lines
    assert line == (
        "none: nothing that was tried makes it faster (tried and no faster: pe 1 -> 2 of conv1; "
        "not decided (stuck, no interval proven, or too many to time): pe 4 -> 8 of fc0; "
        "refused by the checks: simd 3 -> 9 of conv0)"
    )


@pytest.mark.long
def test_another_way_is_tried_where_the_cheapest_is_not_proven() -> None:
    """CNV-max's first window: a row buffer takes least and shows no period soon, another window does."""
    advice = _advised("finn-cnv-max", "cnv")[0]
    assert [change.key for change in advice.changes] == ["layers.conv0.sliding_window"]
    assert advice.initiation_interval_cycles < 9124


def test_what_cannot_be_proven_faster_is_not_called_no_faster() -> None:
    """Here no more designs may be timed; one that gets stuck or shows no period is told alike."""
    design, _ = load_design("digits-7z020", "digits")
    trials = Trials(design)
    (name, *_) = (s.name for s in design.graph.streams if s.depth_words > 1)
    change = Change(("fifo_words", name), 2, 1)
    built = trials.build(design, [change])
    assert built is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnsim.evaluation.advice.trials.MOST_TIMED", 0)
        assert trials.time(built, [change]) is None
    assert trials.report(()).undecided == (change.told.text,)
    (line,) = trials.report(()).lines
    assert "not decided (stuck, no interval proven, or too many to time): fifo_words" in line


def test_a_change_that_the_checks_refuse_is_listed_as_refused() -> None:
    design, _ = load_design("pynq-tfc", "tfc")
    trials = Trials(design)
    assert trials.build(design, [Change(("layers", "fc0", "pe"), 16, 5)]) is None
    assert trials.build(design, [Change(("layers", "fc0", "pe"), 16, 32)]) is not None
    report = trials.report(())
    assert report.refused == ("pe 16 -> 5 of fc0",)
    assert report.tried == ("pe 16 -> 5 of fc0", "pe 16 -> 32 of fc0")


@pytest.mark.parametrize(
    ("arch", "workload", "most_mhz"),
    [("pynq-tfc", "tfc", 200), ("fp-bnn", "binarynet", 200), ("fracbnn", "fracbnn-cifar10", 300)],
)
def test_no_clock_is_advised_that_no_published_accelerator_ran_at(
    arch: str, workload: str, most_mhz: float
) -> None:
    clocks = [a for a in _advised(arch, workload) if a.changes[0].key == "clock_mhz"]
    assert clocks
    assert all(float(a.changes[0].after) <= most_mhz for a in clocks)
    assert all("the model estimates" in a.text for a in clocks)


def test_changes_that_are_alike_are_said_once() -> None:
    design, _ = load_design("pynq-tfc", "tfc")
    trials = Trials(design)
    base = trials.time(design)
    assert base is not None
    changes = [Change(("fifo_words", f"a{i}->b"), 2, 8) for i in range(7)]
    said = trials.advice(base, base, changes)
    assert said.text.startswith("fifo_words 2 -> 8 of a0->b, a1->b, a2->b, a3->b and 3 more: ")
    assert len(said.changes) == 7


def test_other_designs_are_tried_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert bnnsim.evaluate("pynq-tfc", "tfc", timing_only=True).advice is None
    assert run(["evaluate", "pynq-tfc", "tfc", "--timing-only", "--advise"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "advice simd 49 -> 56 of fc0, simd 8 -> 16 of fc1" in shown
    assert "then fc0.mvau sets the pace" in shown


def test_large_frames_are_timed_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    design, _ = load_design("digits-7z020", "digits")
    words = sum(stream.words for stream in design.graph.streams)
    monkeypatch.setattr("bnnsim.evaluation.advice.trials.MOST_WORDS", 6 * words)
    trials = Trials(design)
    assert [trials.may_time(design) for _ in range(8)] == [True] * 6 + [False] * 2
    monkeypatch.setattr("bnnsim.evaluation.advice.trials.MOST_WORDS", words // 2)
    trials = Trials(design)
    assert [trials.may_time(design) for _ in range(6)] == [True] * 4 + [False] * 2
    monkeypatch.setattr("bnnsim.evaluation.advice.trials.MOST_LARGE_WORDS", 2 * words)
    trials = Trials(design)
    assert [trials.may_time(design) for _ in range(4)] == [True] * 2 + [False] * 2
    monkeypatch.setattr("bnnsim.evaluation.advice.trials.MOST_LARGE_WORDS", words // 2)
    trials = Trials(design)
    assert [trials.may_time(design) for _ in range(2)] == [True, False]
