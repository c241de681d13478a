"""Entries of layers that were read before are what reading them anew gives."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

from bnnsim.search.space import known_sections
from bnnsim.search.space.known_sections import KnownSections
from bnnsim.spec.streaming.architecture import StreamingArchitecture

BASE: dict[str, Any] = {
    "name": "a",
    "source": "a test",
    "style": "streaming",
    "device": "xc7z020",
    "clock_mhz": 100,
    "layers": {"conv0": {"pe": 1, "simd": 3}, "fc": {"pe": 1, "simd": 8, "accumulator_bits": 16}},
}


def read(sections: KnownSections, **layers: Any) -> StreamingArchitecture:
    return StreamingArchitecture.model_validate(sections.read({**BASE, "layers": layers}))


def test_what_was_read_before_is_the_same_object_and_equal_to_a_new_one() -> None:
    sections = KnownSections()
    draw = random.Random(3)
    for _ in range(200):
        layers = {
            f"conv{n}": {"pe": draw.choice((1, 2)), "simd": draw.choice((1, 3)), "units": "rtl"}
            for n in range(3)
        }
        found = read(sections, **layers)
        assert found == StreamingArchitecture.model_validate({**BASE, "layers": layers})
        again = read(sections, **{name: dict(one) for name, one in layers.items()})
        assert all(again.layers[name] is found.layers[name] for name in layers)


@pytest.mark.parametrize("wrong", [1.0, True, "1", [1], None, 0])
def test_a_value_that_equals_a_known_one_is_still_read_by_its_type(wrong: object) -> None:
    sections = KnownSections()
    read(sections, conv0={"pe": 1, "simd": 3})
    given = {**BASE, "layers": {"conv0": {"pe": wrong, "simd": 3}}}
    try:
        expected: object = StreamingArchitecture.model_validate(given)
    except ValueError as error:
        expected = str(error)
    try:
        found: object = StreamingArchitecture.model_validate(sections.read(given))
    except ValueError as error:
        found = str(error)
    assert found == expected


def test_data_is_left_as_it_was() -> None:
    given = {**BASE, "defaults": {"units": "hls"}}
    KnownSections().read(given)
    assert given == {**BASE, "defaults": {"units": "hls"}}
    assert type(given["layers"]["conv0"]) is dict


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_sections, "MOST_SECTIONS", 10)
    sections = KnownSections()
    for pe in range(1, 100):
        assert read(sections, conv0={"pe": pe, "simd": 3}).layers["conv0"].pe == pe
        assert len(sections._kept) <= 12


def test_another_process_begins_with_none() -> None:
    sections = KnownSections()
    read(sections, conv0={"pe": 1, "simd": 3})
    assert not pickle.loads(pickle.dumps(sections))._kept
