"""Words that HLS does not build are flagged: beyond 8,191 bits, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bnnsim.evaluation import Evaluation, evaluate
from bnnsim.finn.rules import weights_width
from bnnsim.report.figures.design_costs import costs_info
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
