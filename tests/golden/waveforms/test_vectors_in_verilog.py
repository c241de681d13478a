"""Golden vectors replayed in Icarus Verilog against a small hand-written MVAU (``rtl/``)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bnnsim.report.vectors import write_vectors
from bnnsim.simulation import RunOptions

RTL = Path(__file__).parent / "rtl"
WORKLOAD = """\
name: replayed
input: {{shape: [4, 6, 6], type: bipolar}}
layers:
  - {{name: conv0, op: conv, out: 8, kernel: 3, activation: {{type: bipolar, compare: "{compare}"}}}}
  - {{name: fc0, op: linear, out: 12, accumulator: popcount, activation: {{type: bipolar, compare: ">"}}}}
"""
ARCH = """\
name: replayed-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {memory: per_layer}
layers:
  conv0: {pe: 2, simd: 4}
  fc0: {pe: 3, simd: 16}
"""

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None or shutil.which("vvp") is None,
    reason="Icarus Verilog is not installed",
)


@pytest.fixture(scope="module", params=[">", ">="])
def vectors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("vectors")
    (folder / "a.yaml").write_text(ARCH)
    (folder / "w.yaml").write_text(WORKLOAD.format(compare=request.param))
    out = folder / "out"
    options = RunOptions(frames=3, weights_seed=5)
    write_vectors(str(folder / "a.yaml"), str(folder / "w.yaml"), out, options)
    return out


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def _replay(folder: Path, unit_name: str, build: Path) -> str:
    """What the testbench prints for one matrix unit of the vectors in ``folder``."""
    manifest = _manifest(folder)
    unit = next(unit for unit in manifest["units"] if unit["name"] == unit_name)
    streams = {stream["name"]: stream for stream in manifest["streams"]}
    taken, given = streams[unit["inputs"][0]], streams[unit["outputs"][0]]
    memory = {entry["role"]: entry for entry in unit["memories"]}
    sizes = unit["parameters"]
    numbers = {
        "IN_WORDS": taken["words"],
        "OUT_WORDS": given["words"],
        "PE": sizes["pe"],
        "SIMD": sizes["simd"],
        "SYNAPSE_FOLD": sizes["matrix_width"] // sizes["simd"],
        "NEURON_FOLD": sizes["matrix_height"] // sizes["pe"],
        "THRESHOLD_BITS": memory["thresholds"]["element_bits"],
        "IS_STRICT": int(sizes["compare"] == ">"),
        "IS_POPCOUNT": int(sizes["accumulator"] == "popcount"),
    }
    files = {
        "IN_FILE": taken["words_file"],
        "OUT_FILE": given["words_file"],
        "WEIGHTS": memory["weights"]["words_file"],
        "THRESHOLDS": memory["thresholds"]["words_file"],
    }
    settings = [f"-Ptestbench.{name}={value}" for name, value in numbers.items()]
    settings += [f'-Ptestbench.{name}="{folder / file}"' for name, file in files.items()]
    sources = [str(RTL / "testbench.v"), str(RTL / "mvau.v")]
    compiled = str(build / "replay")
    subprocess.run(
        ["iverilog", "-g2005", "-s", "testbench", "-o", compiled, *settings, *sources], check=True
    )
    done = subprocess.run(
        ["vvp", "-n", compiled], capture_output=True, text=True, check=True, timeout=600
    )
    assert "WARNING" not in done.stdout + done.stderr
    return done.stdout


@needs_icarus
@pytest.mark.parametrize("unit", ["conv0.mvau", "fc0.mvau"])
def test_every_word_of_a_verilog_matrix_unit_equals_the_golden_one(
    vectors: Path, tmp_path: Path, unit: str
) -> None:
    streams = {stream["reader"]: stream for stream in _manifest(vectors)["streams"]}
    printed = _replay(vectors, unit, tmp_path)
    assert printed.startswith(f"PASS: {streams[unit]['words']} words in, "), printed
    assert printed.strip().endswith(" 0 wrong")


@needs_icarus
def test_a_single_wrong_weight_bit_is_found(vectors: Path, tmp_path: Path) -> None:
    shutil.copytree(vectors, tmp_path / "wrong")
    memory = tmp_path / "wrong" / "memories" / "conv0_mvau.weights.hex"
    lines = memory.read_text().splitlines()
    for i, line in enumerate(lines):
        lines[i] = f"{int(line, 16) ^ 1:0{len(line)}x}"
    memory.write_text("\n".join(lines) + "\n")
    assert "FAIL" in _replay(tmp_path / "wrong", "conv0.mvau", tmp_path)


def test_the_manifest_describes_every_file_and_every_line(vectors: Path) -> None:
    manifest = _manifest(vectors)
    assert manifest["frames"] == 3
    named = {"manifest.json"}
    for stream in manifest["streams"]:
        assert stream["words"] == 3 * stream["words_a_frame"]
        assert stream["width_bits"] == stream["lanes"] * stream["element_bits"]
        for key in ("words_file", "written_cycles_file", "read_cycles_file"):
            lines = (vectors / stream[key]).read_text().splitlines()
            assert len(lines) == stream["words"]
            named.add(stream[key])
        words = (vectors / stream["words_file"]).read_text().splitlines()
        assert max(int(word, 16) for word in words) < 1 << stream["width_bits"]
    for unit in manifest["units"]:
        for memory in unit["memories"]:
            lines = (vectors / memory["words_file"]).read_text().splitlines()
            assert len(lines) == memory["depth_words"]
            assert max(int(word, 16) for word in lines) < 1 << memory["width_bits"]
            named.add(memory["words_file"])
    on_disk = {str(p.relative_to(vectors)) for p in vectors.rglob("*") if p.is_file()}
    assert named == on_disk


def test_words_are_read_after_they_are_written_and_in_order(vectors: Path) -> None:
    manifest = _manifest(vectors)
    for stream in manifest["streams"]:
        written, read = (
            [int(line, 16) for line in (vectors / stream[key]).read_text().splitlines()]
            for key in ("written_cycles_file", "read_cycles_file")
        )
        assert written == sorted(set(written))
        assert read == sorted(set(read))
        assert all(w < r for w, r in zip(written, read, strict=True))
        assert max(read) < manifest["cycles_total"]


def test_a_folder_with_files_in_it_is_left_alone(tmp_path: Path) -> None:
    from bnnsim.cli.app import run

    (tmp_path / "mine.txt").write_text("mine")
    assert run(["vectors", "digits-7z020", "digits", "--frames", "1", "--out", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_network_without_weights_has_no_vectors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bnnsim.cli.app import run

    assert run(["vectors", "pynq-cnv", "cnv", "--out", str(tmp_path / "v")]) == 2
    assert "vectors: expected weights and images (or --weights-seed)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
