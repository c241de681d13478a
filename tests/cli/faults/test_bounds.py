"""Bounds hold before anything is allocated: each case runs in a process that may use little memory."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bnnsim.files.limited_process import read_limited
from bnnsim.spec import bounds
from bnnsim.spec.faults import InputError
from tests.cli.faults.small_spec import ARCH, WORKLOAD, change

ROOT = Path(__file__).resolve().parents[3]
MEMORY_BYTES = 2 << 30
"""Address space of a child, libraries and compiled code included."""
_RUN = "import sys; from bnnsim.cli import main; main(sys.argv[1:])"


def _run(arguments: list[str], folder: Path) -> tuple[int, str]:
    """A command in a process of ``MEMORY_BYTES``: its exit code, and what it wrote."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=400,
    )
    return done.returncode, done.stdout + done.stderr


def _wide(folder: Path) -> list[str]:
    (folder / "w.yaml").write_text(change(WORKLOAD, "out: 10", "out: 10000000"))
    (folder / "a.yaml").write_text(change(ARCH, "fc0: {pe: 2, simd: 8}", "fc0: {pe: 1, simd: 64}"))
    return ["simulate", "a.yaml", "w.yaml", "--timing-only"]


def _specs(folder: Path, arch: str = ARCH, workload: str = WORKLOAD) -> list[str]:
    (folder / "a.yaml").write_text(arch)
    (folder / "w.yaml").write_text(workload)
    return ["simulate", "a.yaml", "w.yaml"]


def _wrong_simd(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "out: 10", "out: 30000000")
    arch = change(ARCH, "fc0: {pe: 2, simd: 8}", "fc0: {pe: 1, simd: 63}")
    return [*_specs(folder, arch, workload), "--weights-seed", "1"]


def _many_weights(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "out: 10", "out: 30000000")
    arch = change(ARCH, "fc0: {pe: 2, simd: 8}", "fc0: {pe: 1, simd: 64}")
    return [*_specs(folder, arch, workload), "--weights-seed", "1"]


def _many_columns(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "out: 16", "out: 300000")
    return [*_specs(folder, workload=workload), "--weights-seed", "1"]


def _many_thresholds(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "out: 10", "out: 1000000, activation: int5")
    arch = change(ARCH, "fc0: {pe: 2, simd: 8}", "fc0: {pe: 1, simd: 64}")
    return [*_specs(folder, arch, workload), "--weights-seed", "1"]


def _large_maps(folder: Path) -> list[str]:
    return [*_specs(folder), "--weights-seed", "1", "--frames", "10000000"]


def _long_gap(folder: Path) -> list[str]:
    arch = ARCH + "frame_source: {inter_frame_gap_steps: 2147483648}\n"
    return [*_specs(folder, arch), "--timing-only", "--executor", "simpy", "--frames", "2"]


def _many_frames(folder: Path) -> list[str]:
    return [*_specs(folder), "--timing-only", "--executor", "simpy", "--frames", "99999999999"]


def _short_trace(folder: Path) -> list[str]:
    _specs(folder)
    more = ["--to", "10", "--frames", "99999999999", "--timing-only"]
    return ["trace", "a.yaml", "w.yaml", "--vcd", "x.vcd", *more]


def _large_window(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "shape: [8, 6, 6]", "shape: [8, 2000, 3000]")
    workload = change(workload, "kernel: 2", "kernel: 3")
    workload = change(workload, "  - {name: pool0, op: max_pool, kernel: 3}\n", "")
    arch = change(ARCH, "simd: 8}\n  fc0", "simd: 1}\n  fc0")
    return [*_specs(folder, arch, workload), "--timing-only"]


def _far_stride(folder: Path) -> list[str]:
    workload = change(WORKLOAD, "kernel: 3", "kernel: 3, stride: 2147483647")
    workload = change(workload, "  - {name: pool0, op: max_pool, kernel: 2}\n", "")
    arch = change(ARCH, "simd: 8}\n  fc0", "simd: 8, sliding_window: row_buffer}\n  fc0")
    return [*_specs(folder, arch, workload), "--timing-only"]


def _deep_fifos(folder: Path) -> list[str]:
    arch = ARCH + "defaults: {fifo_words: 5000000}\n"
    return [*_specs(folder, arch), "--timing-only"]


def _many_words(folder: Path) -> list[str]:
    """Five streams of 30,000,000 words a frame."""
    names = ("a", "b", "c")
    more = "".join(f"  - {{name: {name}, op: affine, type: fixed16.0}}\n" for name in names)
    more = f"out: 30000000}}\n{more}  - {{name: t, op: threshold, activation: bipolar}}"
    workload = change(WORKLOAD, "out: 10}", more)
    lanes = "".join(f"\n  {name}: {{pe: 1}}" for name in (*names, "t"))
    arch = change(ARCH, "fc0: {pe: 2, simd: 8}", "fc0: {pe: 1, simd: 64}" + lanes)
    return [*_specs(folder, arch, workload), "--timing-only"]


def _unpacks_to_much(folder: Path) -> list[str]:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (3 << 30,)}
    )
    content = header.getvalue() + bytes(48 << 20)
    with zipfile.ZipFile(folder / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images_u8.npy", content)
    return [*_specs(folder), "--weights-seed", "1", "--images", "x.npz"]


def _picture_of_much(folder: Path) -> list[str]:
    """A PNG whose header says 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    (folder / "x.png").write_bytes(data + chunk(b"IEND", b""))
    return [*_specs(folder), "--weights-seed", "1", "--images", "x.png"]


def _long_file(folder: Path) -> list[str]:
    with (folder / "a.yaml").open("wb") as file:
        file.truncate(3 << 30)
    (folder / "w.yaml").write_text(WORKLOAD)
    return ["simulate", "a.yaml", "w.yaml"]


CASES: list[tuple[Callable[[Path], list[str]], int, str]] = [
    (_wide, 0, "10,000,000 cycles a frame"),
    (_wrong_simd, 2, "a.yaml:8: layers.fc0.simd: expected a divisor of 64, got 63"),
    (_many_weights, 2, "--weights-seed: expected at most 150,994,944 weights, output channels in"),
    (_many_columns, 2, "--weights-seed: expected at most 1,048,576 weights of an output channel in"),
    (_many_thresholds, 2, "--weights-seed: expected at most 16,777,216 thresholds in a bit-exact run"),
    (_large_maps, 2, "--frames: expected at most "),
    (_long_gap, 0, "2,147,484,732 cycles for 2 frame(s)"),
    (_many_frames, 2, "--frames: expected frames of at most 1073741824 words in all"),
    (_short_trace, 0, "cycles 0 to 9 of the first 3 frames"),
    (_large_window, 2, "layers.conv0.sliding_window: expected windows of at most 33554432 words"),
    (_far_stride, 2, "layers.conv0.sliding_window: expected row buffers of at most 33554432 steps"),
    (_deep_fifos, 2, "defaults.fifo_words: expected FIFOs of at most 8,388,608 words in all"),
    (_many_words, 2, "layers.a: expected streams of at most 50,331,648 words a frame in all"),
    (_unpacks_to_much, 2, "x.npz: expected arrays of at most 1,073,741,824 bytes, got 3,221,225,472"),
    (_picture_of_much, 2, "x.png: expected "),
    (_long_file, 2, "a.yaml: expected a file of at most 16777216 bytes"),
]


@pytest.mark.parametrize(("make", "code", "text"), CASES, ids=[case[0].__name__[1:] for case in CASES])
def test_bound_holds_in_little_memory(
    make: Callable[[Path], list[str]], code: int, text: str, tmp_path: Path
) -> None:
    found, written = _run(make(tmp_path), tmp_path)
    assert "memory: " not in written
    assert (found, "Traceback" in written) == (code, False), written
    assert text in written


def test_a_reader_that_turns_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnsim.files.limited_process.MAX_READER_S", 1)
    with pytest.raises(InputError, match=r"net.h5: expected a whole file, got one that takes more than"):
        read_limited(lambda: sum(iter(int, 1)), "net.h5", "a whole file")  # ends at no time


def test_a_reader_that_takes_too_much_memory_is_stopped() -> None:
    def read() -> int:
        return len(bytearray(2 * bounds.MAX_READER_BYTES))

    with pytest.raises(InputError, match=r"got one that takes more than 2048 MiB to read"):
        read_limited(read, "net.h5", "a whole file")


def test_a_fault_in_a_child_is_the_fault_of_its_parent() -> None:
    def read() -> None:
        raise InputError("net.h5: layer", "this", "that", ("near",))

    with pytest.raises(InputError, match=r"net.h5: layer: expected this, got that \(nearest: near\)"):
        read_limited(read, "net.h5", "a whole file")


def test_what_was_read_and_is_too_much_to_hand_over_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bnnsim.files.limited_process.MAX_READER_BYTES", 300 << 20)
    with pytest.raises(InputError, match=r"net.h5: .* takes more than 300 MiB to read"):
        read_limited(lambda: np.zeros(200 << 20, np.uint8), "net.h5", "a whole file")
    assert capfd.readouterr().err == ""
