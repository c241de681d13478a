"""An engine's vectors, read back by their manifest alone: they are the network and its run."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnsim.cli.app import run
from bnnsim.simulation import simulate

RESIDUAL = """
name: residual
input: {shape: [3, 9, 9], type: uint8}
layers:
  - {name: stem, op: conv, out: 6, kernel: 3, stride: 2, pad: 1, weight: int8}
  - {name: stem_bn, op: affine, multiplier_bits: 16, shift_bits: 14, bias_bits: 16}
  - {name: sign1, op: threshold, activation: bipolar}
  - {name: conv1, op: conv, out: 6, kernel: 3, pad: 1, pad_value: 0}
  - {name: bn1, op: affine}
  - {name: add1, op: add, inputs: [bn1, stem_bn]}
  - {name: sign2, op: threshold, activation: bipolar}
  - {name: classes, op: linear, out: 5}
"""


class Vectors:
    """The files, by the manifest's words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())

    def hex(self, file: str) -> list[int]:
        return [int(line, 16) for line in (self.folder / file).read_text().split()]

    def rows(self, entry: dict[str, Any]) -> list[dict[str, str]]:
        with (self.folder / entry["rows_file"]).open() as file:
            return list(csv.DictReader(file))

    def map(self, layer: str) -> Any:
        """``(frames, channels, height, width)`` of integers."""
        (entry,) = (m for m in self.manifest["maps"] if m["layer"] == layer)
        channels, height, width = entry["shape"]
        pixels = [elements(w, channels, entry["element_bits"], entry["type"]) for w in
                  self.hex(entry["words_file"])]  # fmt: skip
        shape = (self.manifest["frames"], height, width, channels)
        return np.array(pixels).reshape(shape).transpose(0, 3, 1, 2)

    def carried(self, entry: dict[str, Any]) -> Iterator[tuple[dict[str, str], list[int]]]:
        """Each transfer's row and its elements as raw bits."""
        words = self.hex(entry["words_file"])
        for row in self.rows(entry):
            first, count, bits = (int(row[k]) for k in ("first_word", "words", "element_bits"))
            width = entry["port_width_bits"][row["port"]]
            chosen = words[first : first + count]
            per_word = int(row["per_word"])
            if per_word:
                found = [w >> i * bits & (1 << bits) - 1 for w in chosen for i in range(per_word)]
            else:
                line = sum(word << i * width for i, word in enumerate(chosen))
                found = [line >> i * bits & (1 << bits) - 1 for i in range(int(row["elements"]))]
            yield row, found[: int(row["elements"])]


def elements(word: int, count: int, bits: int, kind: str) -> list[int]:
    raw = [word >> i * bits & (1 << bits) - 1 for i in range(count)]
    if kind == "bipolar":
        return [2 * bit - 1 for bit in raw]
    return raw if kind.startswith("u") else [signed(one, bits) for one in raw]


def signed(raw: int, bits: int) -> int:
    return raw - (1 << bits) if raw >> bits - 1 else raw


def spans(text: str) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in re.findall(r"(\d+):(\d+)", text)]


@pytest.fixture(scope="module", params=["digits", "residual"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("vectors")
    workload = "digits"
    asked = ["--frames", "2"]
    if request.param == "residual":
        workload = str(folder / "net.yaml")
        Path(workload).write_text(RESIDUAL)
        asked += ["--weights-seed", "3"]
    engine = str(folder / "e.yaml")
    assert run(["new", "engine", workload, "--device", "xc7z020", "--kind", "weight-stationary",
                "--out", engine]) == 0  # fmt: skip
    assert run(["vectors", engine, workload, "--out", str(folder / "v"), *asked]) == 0
    seed = 3 if request.param == "residual" else None
    found = simulate(engine, workload, frames=2, weights_seed=seed)
    return Vectors(folder / "v"), found


def test_every_trip_adds_what_its_operands_and_weights_say(written: Any) -> None:
    vectors, _ = written
    assert vectors.manifest["layers"]
    for entry in vectors.manifest["layers"]:
        wide_bits = entry["operand_bits"]
        files = {n: vectors.hex(entry[f"{n}_file"]) for n in ("operands", "weights", "sums")}
        sums: dict[tuple[int, ...], int] = {}
        used = set()
        for row in vectors.rows(entry):
            if not row["line"]:
                continue
            used.add(int(row["line"]))
            at = {k: tuple(map(int, row[k].split(":"))) for k in row if ":" in row[k]}
            outs, ins = range(*at["out_channels"]), range(*at["in_channels"])
            kernel = [(y, z) for y in range(*at["kernel_rows"]) for z in range(*at["kernel_columns"])]
            pixels = [(r, c) for r in range(*at["rows"]) for c in range(*at["columns"])]
            bits, total_bits = entry["weight_bits"], entry["sum_bits"]
            raw = files["weights"][int(row["weights_line"])]
            count = len(outs) * len(kernel) * len(ins)
            values = [raw >> i * bits & (1 << bits) - 1 for i in range(count)]
            weights = [2 * v - 1 if bits == 1 else signed(v, bits) for v in values]
            patch = files["operands"][int(row["line"])]
            stride = 2 if entry["layer"] == "stem" else 1
            wide = (at["columns"][1] - 1 - at["columns"][0]) * stride + len({z for _, z in kernel})
            after = files["sums"][int(row["line"])]
            for o, out in enumerate(outs):
                for p, (r, c) in enumerate(pixels):
                    total = sums.get((int(row["frame"]), out, r, c), 0)
                    for k, (y, z) in enumerate(kernel):
                        down = (r - at["rows"][0]) * stride + y - at["kernel_rows"][0]
                        across = (c - at["columns"][0]) * stride + z - at["kernel_columns"][0]
                        for i in range(len(ins)):
                            n = (down * wide + across) * len(ins) + i
                            x = patch >> n * wide_bits & (1 << wide_bits) - 1
                            total += signed(x, wide_bits) * weights[(o * len(kernel) + k) * len(ins) + i]
                    sums[int(row["frame"]), out, r, c] = total
                    place = (o * len(pixels) + p) * total_bits
                    assert signed(after >> place & (1 << total_bits) - 1, total_bits) == total
        assert used == set(range(len(files["sums"])))


def test_the_scores_are_the_last_sums_and_leave_through_the_port(written: Any) -> None:
    vectors, found = written
    last = vectors.manifest["maps"][-1]["layer"]
    scores = vectors.map(last).reshape(2, -1)
    assert [tuple(row) for row in scores.tolist()] == [tuple(s) for s in found.scores]
    (store,) = (t for t in vectors.manifest["transfers"] if t["direction"] == "store")
    bits = vectors.manifest["maps"][-1]["element_bits"]
    left = [[signed(v, bits) for v in values] for _, values in vectors.carried(store)]
    assert [value for values in left for value in values] == scores.reshape(-1).tolist()


def test_loads_bring_every_weight_and_the_image(written: Any) -> None:
    vectors, _ = written
    loads = {t["name"]: t for t in vectors.manifest["transfers"] if t["direction"] == "load"}
    brought = [value for _, values in vectors.carried(loads["maps.load"]) for value in values]
    image = vectors.map("image").transpose(0, 2, 3, 1).reshape(-1)
    bits = next(m["element_bits"] for m in vectors.manifest["maps"] if m["layer"] == "image")
    assert [value % (1 << bits) for value in image.tolist()] == brought
    tiles: dict[str, dict[tuple[int, ...], int]] = {}
    for row, values in vectors.carried(loads["weights.load"]):
        ranges = [range(a, b) for a, b in spans(row["what"])[1:]]  # without groups
        places = list(product(*ranges))
        assert len(places) == len(values)
        tiles.setdefault(row["turn"], {}).update(zip(places, values, strict=True))
    if vectors.manifest["workload"] == "digits":
        trained = np.load(Path(__file__).resolve().parents[3] / "workloads" / "digits.npz")
        for name, found in tiles.items():
            shape = (*trained[f"{name}.weights"].shape, 1, 1)[:4]
            weights = trained[f"{name}.weights"].reshape(shape)
            assert all(weights[place] == bit for place, bit in found.items())
            assert len(found) == weights.size
    for entry in vectors.manifest["layers"]:
        used = vectors.hex(entry["weights_file"])
        bits = entry["weight_bits"]
        for row in vectors.rows(entry):
            if not row["line"]:
                continue
            at = {k: range(*map(int, row[k].split(":"))) for k in row if ":" in row[k]}
            order = [(o, i, y, z) for o in at["out_channels"] for y in at["kernel_rows"]
                     for z in at["kernel_columns"] for i in at["in_channels"]]  # fmt: skip
            word = sum(tiles[entry["layer"]][place] << n * bits for n, place in enumerate(order))
            assert used[int(row["weights_line"])] == word


def test_words_and_trips_have_the_cycles_of_the_simulation(written: Any) -> None:
    vectors, found = written
    held: dict[str, list[int]] = {}
    moved = 0
    for entry in vectors.manifest["transfers"]:
        cycles = vectors.hex(entry["cycles_file"])
        rows = vectors.rows(entry)
        assert len(cycles) == entry["words"] == sum(int(row["words"]) for row in rows)
        assert cycles == sorted(cycles)
        for row in rows:
            first, count = int(row["first_word"]), int(row["words"])
            own = cycles[first : first + count]
            assert int(row["start"]) < own[0] and own[-1] == int(row["end"]) - 1
            held.setdefault(row["port"], []).extend(own)
        moved += entry["words"]
    for cycles in held.values():  # a port moves one word at a time
        assert len(set(cycles)) == len(cycles)
    assert vectors.manifest["cycles_total"] == found.cycles_total
    (port,) = found.spending.ports
    assert moved * 64 // 8 == 2 * (port.loaded_bytes + port.stored_bytes)
    arrays = {layer.name: layer for layer in found.layers}
    for entry in vectors.manifest["layers"]:
        rows = vectors.rows(entry)
        steps = {(row["frame"], row["step"]) for row in rows}
        depth = int(rows[0]["depth"])
        assert len(rows) + depth * len(steps) == arrays[entry["layer"]].compute_cycles
        cycles = [int(row["cycle"]) for row in rows]
        assert cycles == sorted(set(cycles)) and max(cycles) < found.cycles_total
