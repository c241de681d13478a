"""Words that HLS does not build are flagged: beyond 8,191 bits, counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.cli.explore.answer import show
from bnnsim.evaluation import Evaluation, evaluate
from bnnsim.evaluation.wide_words import wide_words
from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.finn.rules import weights_width
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.search.fold.fold import fold
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.space.space import Space
from bnnsim.search.storage.kinds import unbuildable
from bnnsim.search.storage.record import TrialRecord
from bnnsim.spec.load import from_spec
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

WORKLOAD = Workload.model_validate(
    {
        "name": "wide",
        "source": "a test's own",
        "input": {"shape": [9216], "type": "bipolar"},
        "layers": [
            {"name": "fc0", "op": "linear", "out": 128, "activation": {"type": "bipolar"}},
            {"name": "fc1", "op": "linear", "out": 4},
        ],
    }
)


def _judged(pe: int, simd: int, defaults: dict[str, Any]) -> Evaluation:
    spec = StreamingArchitecture.model_validate(
        {
            "name": "wide",
            "source": "a test's own",
            "structure": "complete",
            "style": "streaming",
            "device": "xcu250",
            "clock_mhz": 100,
            "defaults": {"pipeline": "flushing", **defaults},
            "layers": {"fc0": {"pe": pe, "simd": simd}, "fc1": {"pe": 1, "simd": 1}},
        }
    )
    return evaluate(spec, WORKLOAD, timing_only=True)


def test_weights_of_more_bits_than_a_stream_of_hls_are_flagged() -> None:
    found = _judged(128, 72, {})
    assert [(w.unit, w.word, w.bits) for w in found.wide_words] == [("fc0.mvau", "weights", 9216)]
    assert "fc0.mvau's weights 9,216 bits" in found.remark
    assert "8,191" in found.remark
    assert costs_info(found).violations == (found.remark,)  # what its page lists
    assert found.to_json()["wide_words"] == [{"unit": "fc0.mvau", "word": "weights", "bits": 9216}]


def test_one_bit_less_than_8192_is_built_and_8192_is_not() -> None:
    assert _judged(64, 96, {}).wide_words == ()  # 6,144 bits
    assert [w.bits for w in _judged(128, 64, {}).wide_words] == [8192]
    assert _judged(128, 64, {}).remark and not _judged(64, 96, {}).remark


@pytest.mark.parametrize("defaults", [{"units": "own"}, {"memory": "per_pe"}])
def test_own_units_and_memories_of_each_pe_have_no_such_word(defaults: dict[str, Any]) -> None:
    assert _judged(128, 72, defaults).wide_words == ()


def test_a_stream_into_an_hls_unit_is_flagged_though_each_pe_has_its_weights() -> None:
    found = _judged(1, 9216, {"memory": "per_pe"})
    words = {(w.unit, w.word): w.bits for w in found.wide_words}
    assert words[("fc0.mvau", "weights")] == 9216
    assert 9216 in {bits for (unit, word), bits in words.items() if word != "weights"}
    assert len(found.wide_words) == len(words)


def test_finn_s_rule_counts_the_same_weight_word() -> None:
    assert weights_width({"PE": 128, "SIMD": 72, "weightDataType": "BIPOLAR"}) == 9216
    assert weights_width({"PE": 128, "SIMD": 72, "mem_mode": "internal_embedded"}) == 72


def test_fold_proposes_no_word_that_hls_cannot_build() -> None:
    """The fastest folding: 9,216 x 128 weights of a bit are 144 words of 8,192 bits, or more of fewer."""
    answer = fold(from_spec(WORKLOAD), "xcu250")
    assert wide_words(answer.folded.design) == ()
    assert answer.folded.interval_cycles >= 9216 * 128 / 8191
    own = fold(from_spec(WORKLOAD), "xcu250", units="own")
    assert own.folded.interval_cycles < answer.folded.interval_cycles


def test_fold_keeps_layers_of_which_no_folding_has_words_for_hls() -> None:
    """A pixel of 9,216 bits comes as one word; the evaluation says so."""
    layers = [{"name": "conv", "op": "conv", "kernel": 1, "out": 2}]
    frame = {"shape": [9216, 2, 2], "type": "bipolar"}
    wide = {"name": "pixels", "source": "a test's own", "input": frame, "layers": layers}
    answer = fold(from_spec(Workload.model_validate(wide)), "xcu250")
    assert {word.bits for word in wide_words(answer.folded.design)} == {9216}


SPACE = """
name: wide
source: "a test's own"
style: streaming
device: xcu250
clock_mhz: 100
defaults: {pipeline: flushing}
layers:
  fc0: {pe: 128, simd: {choose: [36, 72]}}
  fc1: {pe: 1, simd: 32}
explore: {workload: wide-network.yaml, objectives: [throughput_fps, lut]}
"""


def test_an_engine_is_not_built_again_to_say_that_it_has_no_such_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def built(*_: object) -> None:
        raise AssertionError("built")

    plan = plan_of("binarynet-zu3eg-engine", None, 10, None, (), "front", 0)
    space = plan.space
    assert isinstance(space, Space)
    trial = TrialRecord(0, {}, dict(space.first_knobs), PointResult({}, {}))
    monkeypatch.setattr("bnnsim.search.storage.kinds.point_design", built)
    assert unbuildable(plan.outcome([trial]), trial) == ()


def test_a_search_says_which_of_its_designs_hls_cannot_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """128 PEs x 36 lanes are 4,608 bits, x 72 lanes 9,216."""
    plain = WORKLOAD.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "wide-network.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    (tmp_path / "wide.yaml").write_text(SPACE, encoding="utf-8")
    report = explore(tmp_path / "wide.yaml", trials=4, jobs=1, baseline=0, verify_words=0)
    designs = report.to_json()["designs"]
    words = {one["knobs"]["layers.fc0.simd"]: one["wide_words"] for one in designs}
    assert words == {36: (), 72: ({"unit": "fc0.mvau", "word": "weights", "bits": 9216},)}
    show(report)
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 of 2 front designs have words of more than 8,191 bits, which HLS cannot build:" in printed
    assert "(9,216)" in printed
