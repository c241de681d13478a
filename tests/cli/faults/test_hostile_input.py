"""What no run can mean is one message before any work, whoever asks: the command or Python."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnnsim
from bnnsim.cli.app import run
from bnnsim.spec.faults import InputError, SpecError

WORKLOAD = """\
name: small
input: {shape: [2, 6, 6], type: uint8}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, activation: bipolar}
  - {name: conv1, op: conv, out: 4, kernel: 3, activation: bipolar}
  - {name: fc0, op: linear, out: 3}
"""
ARCH = """\
name: small-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
layers:
  conv0: {pe: 4, simd: 2}
  conv1: {pe: 4, simd: 4}
  fc0: {pe: 3, simd: 4}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "a.yaml").write_text(ARCH)
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    return str(tmp_path / "a.yaml"), str(tmp_path / "w.yaml")


def _change(files: tuple[str, str], which: int, old: str, new: str) -> None:
    path = Path(files[which])
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def _refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()


def _archive(tmp_path: Path, count: int, labels: list[int] | None = None) -> str:
    arrays: dict[str, Any] = {"images_u8": np.zeros((count, 2, 6, 6), np.uint8)}
    if labels is not None:
        arrays["labels"] = np.array(labels)
    np.savez(tmp_path / "images.npz", **arrays)
    return str(tmp_path / "images.npz")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--weights-seed", "-1"], "--weights-seed: expected a number >= 0, got -1"),
        (
            ["--weights-seed", "1", "--frames", str(10**15)],
            "--frames: expected at most ",
        ),
        (["--weights-seed", "1", "--json", "."], ".: expected a place to write, got Is a directory"),
        (
            ["--weights-seed", "1", "--json", "no/such/folder.json"],
            "no/such/folder.json: expected a place to write, got No such file or directory",
        ),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "evaluate"])
def test_argument_that_no_run_can_mean_is_refused(
    command: str,
    arguments: list[str],
    wanted: str,
    files: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = _refused([command, *files, *arguments], capsys)
    assert line.startswith(wanted)


def test_vectors_refuse_a_seed_below_zero(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["vectors", *files, "--weights-seed", "-1", "--out", str(tmp_path / "vectors")]
    (line,) = _refused(arguments, capsys)
    assert line == "--weights-seed: expected a number >= 0, got -1"


def test_place_to_write_is_checked_before_the_specs_are_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = _refused(["simulate", "no.yaml", "no.yaml", "--json", "/no/x.json"], capsys)
    assert line == "/no/x.json: expected a place to write, got No such file or directory"


def test_both_missing_files_are_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["simulate"], ["evaluate"], ["simulate", "--print-spec"]):
        first, second = _refused([*command, "no/a.yaml", "no/w.yaml"], capsys)
        assert first == "no/a.yaml: expected a file, got nothing there"
        assert second == "no/w.yaml: expected a file, got nothing there"


def test_missing_architecture_does_not_hide_a_workloads_fault(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _change(files, 1, "out: 3", "out: 0")
    lines = _refused(["simulate", "no/a.yaml", files[1]], capsys)
    assert len(lines) == 2
    assert any("layers.fc0.out: expected a number >= 1, got 0" in line for line in lines)


def test_every_window_that_cannot_be_built_is_named_with_both_sides(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _change(files, 1, "out: 4, kernel: 3, activation: bipolar}\n  - {name: conv1, op: conv, out: 4, "
            "kernel: 3", "out: 4, kernel: 2, dilation: [1, 2], activation: bipolar}\n"
            "  - {name: conv1, op: conv, out: 4, kernel: [2, 1], dilation: 2")  # fmt: skip
    first, second = _refused(["simulate", *files, "--timing-only"], capsys)
    kinds = "expected no_overlap, full_frame_coupled, rtl, parallel or line_buffer (a row_buffer does"
    assert f"layers.conv0.sliding_window: {kinds}" in first
    assert first.endswith("got row_buffer with kernel 2, stride 1, dilation 1 x 2")
    assert f"layers.conv1.sliding_window: {kinds}" in second
    assert second.endswith("got row_buffer with kernel 2 x 1, stride 1, dilation 2")


@pytest.mark.parametrize("content", ["npz", "npy"])
def test_image_set_of_none_is_refused(
    content: str, tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = _archive(tmp_path, 0)
    if content == "npy":
        path = str(tmp_path / "images.npy")
        np.save(path, np.zeros((0, 2, 6, 6), np.uint8))
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", path], capsys)
    assert line == f"{path}: expected at least one image, got none"


def test_array_of_no_images_is_refused(files: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="images: expected at least one image, got none"):
        bnnsim.simulate(*files, images=np.zeros((0, 2, 6, 6), np.uint8), weights_seed=1)
    with pytest.raises(InputError, match=r"images: expected an array of images .*, got a single number"):
        bnnsim.simulate(*files, images=np.array(3, np.uint8), weights_seed=1)
    with pytest.raises(InputError, match="images: expected files, or an array of pixels, got a list of"):
        bnnsim.simulate(*files, images=[[1, 2], [3, 4]], weights_seed=1)  # type: ignore[list-item]


def test_array_file_of_a_single_number_is_refused(
    tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "one.npy")
    np.save(path, np.uint8(3))
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", path], capsys)
    assert line == f"{path}: expected an array of images (n, ...), got a single number"


@pytest.mark.parametrize(
    "shape", ["(1000000000000000,)", "(10000000000, 10000000000, 99)", "(-4,)", "(1.5,)", "'x'", "(2, 6"]
)
def test_array_header_of_a_wrong_shape_is_refused(
    shape: str, tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = io.BytesIO()
    content.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"abcd")
    path = str(tmp_path / "odd.npy")
    Path(path).write_bytes(content.getvalue())
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", path], capsys)
    assert line.startswith(f"{path}: expected ")


def test_folder_of_images_is_called_a_folder(
    tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("PIL", reason="pictures are opened by pillow")
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", str(tmp_path)], capsys)
    assert line == f"{tmp_path}: expected a picture, .npz or .npy, got a folder"


@pytest.mark.parametrize(("label", "count"), [(3, 3), (-1, 3), (7, 3)])
def test_label_of_no_class_is_refused(
    label: int, count: int, tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = _archive(tmp_path, 2, [0, label])
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", path], capsys)
    assert line == f"{tmp_path / 'images.npz'}: labels: expected classes 0 .. {count - 1}, got {label}"


def test_integers_of_another_type_are_refused_where_pixels_have_a_range(
    files: tuple[str, str],
) -> None:
    _change(files, 1, "type: uint8}", "type: int8, image_range: [-1.0, 1.0]}")
    with pytest.raises(InputError, match=r"images: expected pixels as uint8 .* or a workload without"):
        bnnsim.simulate(*files, images=np.ones((1, 2, 6, 6), np.int64), weights_seed=1)


def test_capital_suffix_is_the_same_kind_of_file(
    tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "IMAGES.NPZ"
    Path(_archive(tmp_path, 2)).rename(path)
    arguments = ["simulate", *files, "--weights-seed", "1", "--images", str(path), "--json", "-"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 2


def test_frames_beyond_the_images_are_said_to_be_repeats(
    tmp_path: Path, files: tuple[str, str]
) -> None:
    path = _archive(tmp_path, 2)
    repeated = bnnsim.simulate(*files, images=path, weights_seed=1, frames=5)
    assert repeated.bit_exact_basis.endswith(" (5 frames of 2 images, over again)")
    assert "over again" not in bnnsim.simulate(*files, images=path, weights_seed=1).bit_exact_basis


def test_class_names_with_markup_are_printed_as_they_are(
    tmp_path: Path, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _change(files, 1, "layers:", 'classes: ["[/]", "[red]", "[/bold]"]\nlayers:')
    path = _archive(tmp_path, 3, [0, 1, 2])
    assert run(["simulate", *files, "--weights-seed", "1", "--images", path]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("[/]", "[red]", "[/bold]"))


@pytest.mark.parametrize("function", [bnnsim.simulate, bnnsim.evaluate])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "compild"}, "--executor: expected simpy or compiled, got 'compild' .*compiled"),
        ({"frames": 1.5}, "--frames: expected a number >= 1, got 1.5"),
        ({"frames": "2"}, "--frames: expected a number >= 1, got '2'"),
        ({"weights_seed": -3}, "--weights-seed: expected a number >= 0, got -3"),
    ],
)
def test_wrong_arguments_from_python_are_refused_before_the_files_are_read(
    function: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        function("no/a.yaml", "no/w.yaml", **options)


def test_folder_for_vectors_is_tried_before_the_run(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "kept.txt").write_text("kept")
    for out, reason in (
        (files[0], "a folder that is new or empty, got a file"),
        (str(full), "a folder that is new or empty, got one with files in it"),
        (files[0] + "/below", "a place to write, got Not a directory"),
        (files[0] + "/below/it", "a place to write, got Not a directory"),
    ):
        # a network that is not there: the folder is looked at first
        (line,) = _refused(["vectors", files[0], "no/w.yaml", "--out", out], capsys)
        assert line == f"{out}: expected {reason}"


def test_a_link_is_called_what_its_user_calls_it(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "linked.yaml").symlink_to(files[1])
    _change(files, 1, "out: 3", "out: 0")
    (line,) = _refused(["simulate", files[0], str(tmp_path / "linked.yaml")], capsys)
    assert "linked.yaml:6: layers.fc0.out: expected" in line


def _header(path: Path, shape: str) -> None:
    """An .npz with one array, whose header says this shape."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images_u8.npy", header)


@pytest.mark.parametrize("shape", ["(0, 9999999999999999999)", "(2**62,)", "(-1,)", "(1.5,)", "(x,)"])
def test_a_damaged_array_is_one_line_that_is_the_same_in_every_run(
    shape: str, files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "images.npz"
    _header(path, shape)
    (line,) = _refused(["simulate", *files, "--weights-seed", "1", "--images", str(path)], capsys)
    assert line.startswith(f"{path}: expected an .npz file, got a damaged or cut-off file (")
    assert " at 0x" not in line


def test_images_and_labels_are_refused_under_their_file_s_name(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "images.npz"
    given = ["simulate", *files, "--weights-seed", "1", "--images", str(path)]
    pixels = np.zeros((1, 2, 6, 6), np.uint8)
    np.savez(path, images_u8=pixels, labels=np.array([2**63], np.uint64))
    assert _refused(given, capsys) == [f"{path}: labels: expected classes, got 9223372036854775808"]
    np.savez(path, images_u8=pixels[:, :1])
    (line,) = _refused(given, capsys)
    assert line.startswith(f"{path}: expected pictures of shape [2, 6, 6]")
