"""Pipelines of parts that are known are those that are built from nothing."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from typing import Any

import pytest

from bnnsim.design import known_parts
from bnnsim.design.known_parts import KnownParts
from bnnsim.design.network.network import check_network
from bnnsim.design.streaming.layout import build_streaming
from bnnsim.spec.load import from_spec, load_architecture, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture

DESIGNS = (
    ("pynq-cnv", "cnv"),
    ("digits-7z020", "digits"),
    ("rebnet-m1", "rebnet-cifar10-m1"),
    ("birealnet-18-u250", "birealnet-18"),
    ("finn-cnv-max", "cnv"),
)
DRAWN = 25
OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "pe": (1, 2, 4, 7),
    "simd": (1, 2, 3, 8),
    "units": (None, "hls", "rtl", "own"),
    "pipeline": (None, "freezing", "flushing"),
    "sliding_window": (None, "row_buffer", "rtl", "parallel"),
    "memory": (None, "per_pe", "per_layer"),
    "fifos": (None, "hls", "rtl"),
    "fifo_srl_words": (None, 32, 256),
    "restart_steps": (None, 0, 9),
    "weight_queue_words": (None, 0, 8),
    "sum_bits": (None, 4, 32),
    "out_fifo_words": (None, 16, 64),
    "out_width_bits": (None, 64),
}
DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "units": ("hls", "rtl", "own"),
    "pipeline": ("freezing", "flushing"),
    "fifo_words": (2, 8),
    "hls_tool": (None, "vivado_hls", "vitis_hls"),
    "converters": (None, "hls", "rtl"),
}


def changed(
    spec: StreamingArchitecture, streams: list[str], draw: random.Random
) -> StreamingArchitecture:
    """``spec`` with some other fields: of two layers, of the defaults, of both ends, of one FIFO."""
    layers = dict(spec.layers)
    for name in draw.sample(sorted(layers), 2):
        key = draw.choice(sorted(OPTIONS))
        layers[name] = layers[name].model_copy(update={key: draw.choice(OPTIONS[key])})
    update: dict[str, Any] = {"layers": layers}
    if draw.random() < 0.4:
        key = draw.choice(sorted(DEFAULTS))
        new = {key: draw.choice(DEFAULTS[key])}
        update["defaults"] = spec.defaults.model_copy(update=new)
    if draw.random() < 0.4:
        new = {"inter_frame_gap_steps": draw.choice((0, 20)), "out_fifo_words": draw.choice((None, 64))}
        update["frame_source"] = spec.frame_source.model_copy(update=new)
        update["frame_sink"] = spec.frame_sink.model_copy(update={"steps_a_word": draw.choice((1, 3))})
    if draw.random() < 0.6:
        update["fifo_words"] = {draw.choice(streams): draw.choice((4, 99))}
    return spec.model_copy(update=update)


@pytest.mark.parametrize(("architecture", "workload"), DESIGNS)
@pytest.mark.parametrize("seed", range(2))
def test_known_parts_make_the_pipeline_that_is_built_from_nothing(
    architecture: str, workload: str, seed: int
) -> None:
    draw, known = random.Random(seed), KnownParts()
    loaded = load_architecture(architecture)
    network, faults = check_network(load_workload(workload))
    spec = loaded.spec
    assert isinstance(spec, StreamingArchitecture) and network is not None and not faults
    first, _ = build_streaming(from_spec(spec), network)
    assert first is not None
    streams = [stream.name for stream in first.streams]
    built = 0
    for _ in range(DRAWN):
        drawn = from_spec(changed(spec, streams, draw))
        fresh = build_streaming(drawn, network)
        assert build_streaming(drawn, network, known=known) == fresh
        assert build_streaming(drawn, network, known=known) == fresh  # now all of it is known
        built += fresh[0] is not None
    assert DRAWN // 5 < built < DRAWN, "both pipelines and faults are compared"


def test_pipelines_share_the_units_of_layers_that_agree() -> None:
    spec = load_architecture("pynq-cnv").spec
    network, _ = check_network(load_workload("cnv"))
    assert isinstance(spec, StreamingArchitecture) and network is not None
    known = KnownParts()
    last = spec.layers["fc2"].model_copy(update={"pipeline": "freezing"})
    other = spec.model_copy(update={"layers": {**spec.layers, "fc2": last}})
    one, _ = build_streaming(from_spec(spec), network, known=known)
    two, _ = build_streaming(from_spec(other), network, known=known)
    assert one is not None and two is not None
    shared = {unit.layer for unit in one.units if any(unit is there for there in two.units)}
    assert shared >= set(network.nodes) - {"fc1", "fc2"}


def test_pipelines_that_differ_in_depths_share_all_units() -> None:
    spec = load_architecture("pynq-cnv").spec
    network, _ = check_network(load_workload("cnv"))
    assert isinstance(spec, StreamingArchitecture) and network is not None
    known = KnownParts()
    one, _ = build_streaming(from_spec(spec), network, known=known)
    assert one is not None
    name = one.streams[3].name
    layers = {**spec.layers, "fc1": spec.layers["fc1"].model_copy(update={"out_fifo_words": 77})}
    defaults = spec.defaults.model_copy(update={"fifo_words": 9})
    update = {"layers": layers, "defaults": defaults, "fifo_words": {name: 5}}
    other = from_spec(spec.model_copy(update=update))
    two, _ = build_streaming(other, network, known=known)
    assert two is not None and two == build_streaming(other, network)[0]
    assert all(unit is there for unit, there in zip(one.units, two.units, strict=True))
    assert {5, 9, 77} <= {stream.depth_words for stream in two.streams}


def test_parts_of_many_depths_are_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = load_architecture("pynq-cnv").spec
    network, _ = check_network(load_workload("cnv"))
    assert isinstance(spec, StreamingArchitecture) and network is not None
    known, built = KnownParts(), []
    monkeypatch.setattr(known_parts, "MOST_PARTS", 100)
    for words in range(2, 30):
        update = {"defaults": spec.defaults.model_copy(update={"fifo_words": words})}
        drawn = from_spec(spec.model_copy(update=update))
        found = build_streaming(drawn, network, known=known)
        assert found == build_streaming(drawn, network)
        assert found[0] is not None
        built.append(found[0].units[0])
    assert any(unit is not built[0] for unit in built)  # built anew after all was forgotten


def test_another_process_begins_without_parts() -> None:
    assert isinstance(pickle.loads(pickle.dumps(KnownParts())), KnownParts)
