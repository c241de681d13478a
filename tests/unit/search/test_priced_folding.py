"""Foldings of deep networks, by prices: held against every folding of small ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.build import build_streaming_design
from bnnsim.search.fold import cheapest, folded_design
from bnnsim.search.fold.fold import fold
from bnnsim.search.fold.priced import (
    LayerTable,
    PricedLayer,
    PricedNetwork,
    cheapest_by_prices,
)
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.steady_state import api

LANES, FIGURES = 2, 3
SHORTCUT = (("in", ()), ("conv", ("in",)), ("add", ("conv", "in")), ("out", ("add",)))


def _table(random: np.random.Generator, inputs: int, is_last: bool) -> LayerTable:
    """Two lanes in or out everywhere, one to three options for each; one pair of lanes does not join."""
    ways = list(itertools.product(range(LANES), repeat=inputs))
    joints = [tuple(random.integers(0, 9, (LANES, FIGURES)).astype(float) for _ in way) for way in ways]
    joins = [tuple(np.zeros(LANES) for _ in way) for way in ways]
    if inputs == 1:
        joins[0][0][1] = np.inf
    cells = [cell for cell in range(len(ways) * LANES) for _ in range(random.integers(1, 4))]
    rows = random.integers(1, 60, (len(cells), FIGURES)).astype(float)
    ends = random.integers(0, 9, (LANES, FIGURES)).astype(float) * is_last
    return LayerTable(tuple(joints), tuple(joins), rows, np.array(cells), np.arange(len(cells)), ends)


def _network(seed: int) -> PricedNetwork:
    random = np.random.default_rng(seed)
    layers = []
    for place, (name, sources) in enumerate(SHORTCUT):
        later = [s for _, reads in SHORTCUT[place + 1 :] for s in reads]
        closed = tuple(n for n in (*sources, name) if n not in later)
        table = _table(random, len(sources), name == "out")
        layers.append(PricedLayer(name, sources, closed, table))
    return PricedNetwork(layers, random.integers(0, 20, FIGURES).astype(float))


def _every(network: PricedNetwork) -> Iterator[np.ndarray]:
    """What each folding takes, one by one: an option a layer, and what lies between."""
    for rows in itertools.product(*(range(len(layer.table.rows)) for layer in network.layers)):
        lanes, total, is_open = {}, network.start.copy(), True
        for layer, row in zip(network.layers, rows, strict=True):
            way, own = divmod(int(layer.table.cells[row]), LANES)
            lanes[layer.name] = own
            total = total + layer.table.rows[row] + layer.table.ends[own]
            for axis, source in enumerate(layer.sources):
                is_open &= bool(np.isfinite(layer.table.joins[way][axis][lanes[source]]))
                total = total + layer.table.joints[way][axis][lanes[source]]
        if is_open:
            yield total


@pytest.mark.parametrize("seed", range(6))
def test_no_folding_is_cheaper_at_any_prices(seed: int) -> None:
    network = _network(seed)
    every = np.array(list(_every(network)))
    for prices in ((1.0, 0.0, 0.0), (0.2, 1.0, 0.5), (0.0, 0.0, 1.0)):
        cost, answer = network.cheapest(np.array(prices))
        least = (every @ np.array(prices)).min()
        assert cost + network.start @ np.array(prices) == pytest.approx(least)
        assert answer.total @ np.array(prices) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_found_fits_and_what_is_proven_is_true(seed: int) -> None:
    network = _network(seed)
    every = np.array(list(_every(network)))
    found_any = False
    for share in (0.0, 0.05, 0.2, 0.5, 1.0):
        room = np.array([np.inf, *np.quantile(every[:, 1:], share, axis=0)])
        able = every[np.all(every <= room, axis=1)]
        answer, is_proven = cheapest_by_prices(network, room)
        if answer is None:
            assert not is_proven or not len(able)
            continue
        found_any = True
        assert np.all(answer.total <= room)
        assert any(np.array_equal(answer.total, total) for total in able)
        assert answer.total[0] == able[:, 0].min() or not is_proven
    assert found_any


_BLOCK = """\
  - {{name: sign{0}, op: threshold, activation: bipolar, inputs: [{1}]}}
  - {{name: conv{0}, op: conv, out: 8, kernel: 3, pad: 1}}
  - {{name: add{0}, op: add, inputs: [conv{0}, {1}]}}
"""


def _chain(blocks: int) -> str:
    text = "name: chain\ninput: {shape: [3, 8, 8], type: uint8}\nlayers:\n"
    text += "  - {name: add0, op: conv, out: 8, kernel: 3, pad: 1}\n"
    for block in range(blocks):
        text += _BLOCK.format(block + 1, f"add{block}")
    return text + "  - {name: scores, op: linear, out: 10}\n"


def test_a_deep_network_folds_to_a_design_that_takes_what_the_prices_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chain.yaml"
    path.write_text(_chain(3), encoding="utf-8")
    exact = fold(path, "xc7z020", 20_000).folded
    monkeypatch.setattr(cheapest, "DEEP_LAYERS", 0)
    priced = fold(path, "xc7z020", 20_000).folded
    assert priced.fps >= 20_000
    assert priced.resources.fits
    assert priced.resources.total.lut <= 1.03 * exact.resources.total.lut


def test_of_large_frames_fifos_are_what_is_enough_and_keep_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chain.yaml"
    path.write_text(_chain(2), encoding="utf-8")
    for module in (api, folded_design):
        monkeypatch.setattr(module, "SWEPT_WORDS", 0)
    answer = fold(path, "xc7z020", 20_000)
    (tmp_path / "arch.yaml").write_text(answer.text(), encoding="utf-8")
    design = build_streaming_design(load_architecture(tmp_path / "arch.yaml"), load_workload(path))
    ends = run_simpy(build_timing(design.graph), 6).frame_end_cycles
    assert ends[-1] - ends[-2] == answer.folded.interval_cycles <= 5000
    waiting = [s.depth_words for s in design.graph.streams if s.reader.startswith("add")]
    assert min(waiting) <= 32 < max(waiting)
    others = [s.depth_words for s in design.graph.streams if s.reader.endswith((".mvau", ".window"))]
    assert max(others) <= 128
    assert estimate_resources(design).fits
