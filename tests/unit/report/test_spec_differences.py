"""Entries that differ, and missing parts as rows of their own."""

from __future__ import annotations

from bnnsim.report.comparison.spec_differences import Difference, differences, flattened, grouped
from bnnsim.spec.load import read_architecture


def test_a_part_of_one_design_is_one_row() -> None:
    specs = [{"style": "a", "x.y.z": "1", "x.y.w": "2"}, {"style": "b"}]
    assert grouped(specs) == (
        Difference("style", ("a", "b")),
        Difference("x", ("2 entries", None)),
    )
    assert len(differences(specs)) == 3


def test_a_part_that_two_designs_have_differently_stays_in_entries() -> None:
    specs = [{"x.y": "1", "x.z": "2"}, {"x.y": "1", "x.z": "3"}, {"a": "0"}]
    assert [row.key for row in grouped(specs)] == ["x.y", "x.z", "a"]
    alike = [{"x.y": "1", "x.z": "2"}, {"x.y": "1", "x.z": "2"}, {"a": "0"}]
    assert grouped(alike)[0] == Difference("x", ("2 entries", "2 entries", None))


def test_entries_missing_from_a_part_that_all_designs_have_are_named() -> None:
    specs = [{"x.y": "1", "x.z": "2", "x.w": "3"}, {"x.w": "3"}]
    assert [row.key for row in grouped(specs)] == ["x.y", "x.z"]


def test_no_entry_is_lost_in_the_parts() -> None:
    specs = [
        flattened("", read_architecture(name).spec) for name in ("acce-bnn", "fracbnn", "pynq-cnv")
    ]
    counted = 0
    for row in grouped(specs):
        found = [e for e in differences(specs) if f"{e.key}.".startswith(f"{row.key}.")]
        counted += len(found)
        assert len(found) == 1 or f"{len(found)} entries" in row.values
    assert counted == len(differences(specs))


def test_steps_without_names_go_by_their_position() -> None:
    flat = flattened("", read_architecture("acce-bnn").spec)
    assert not any("{" in text or "None" in key for key, text in flat.items())
    assert any(".steps.1." in key for key in flat)
