"""What once ended in a traceback, or was refused without need."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnsim.cli.app import run
from bnnsim.design.engine.memory import threshold_words
from bnnsim.spec.engine.blocks import Buffer
from bnnsim.spec.faults import InputError
from bnnsim.spec.library import find_spec
from bnnsim.spec.load import load_architecture
from tests.cli.faults.small_spec import ARCH, WORKLOAD, change, complaints


@pytest.mark.parametrize("name", ["a b", "-x", "a\nb", "ü", "/"])
def test_a_name_that_no_spec_can_have_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD)
    arguments = ["fold", str(tmp_path / "w.yaml"), "--device", "xc7z020"]
    assert run([*arguments, "--out", str(tmp_path / "a.yaml"), f"--name={name}"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("--name: expected a name of at most 160 letters, digits, _ . and -")


def test_a_value_wider_than_a_buffers_word_takes_several() -> None:
    buffer = Buffer(holds="thresholds", words=64, width_bits=64, element_bits=128, banks=2)
    assert threshold_words(buffer, 10) == 5 * 2


@pytest.mark.parametrize("bits", [1, 65, 128, 1 << 31])
def test_every_element_width_of_an_engine_is_judged(
    bits: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_spec("acce-bnn", "architecture").read_text(encoding="utf-8")
    assert text.count("element_bits: 16") == 1
    path = tmp_path / "a.yaml"
    path.write_text(text.replace("element_bits: 16", f"element_bits: {bits}"))
    assert run(["simulate", str(path), "binarynet", "--timing-only"]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "x" * 3000, "tfc"],
        ["simulate", "x" * 300, "tfc"],
        ["simulate", "pynq-tfc", "tfc", "--executor", "x" * 3000],
        ["simulate", "pynq-tfc", "tfc", "--images", "x" * 3000],
        ["fold", "tfc", "--device", "x" * 3000, "--out", "a.yaml"],
    ],
)
def test_a_long_argument_is_not_repeated_at_length(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert max(map(len, capsys.readouterr().err.splitlines())) < 800


@pytest.mark.parametrize(("arch", "workload"), [("acce-bnn", "binarynet"), ("pynq-tfc", "tfc")])
def test_a_printed_spec_is_the_same_architecture(
    arch: str, workload: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", arch, workload, "--print-spec"]) == 0
    path = tmp_path / "printed.yaml"
    path.write_text(capsys.readouterr().out)
    assert load_architecture(path).spec == load_architecture(arch).spec


def test_a_long_name_is_refused_instead_of_repeated_by_other_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workload = change(WORKLOAD, "name: fc0", f"name: {'x' * 3000}")
    lines = complaints(tmp_path, capsys, ARCH, workload)
    assert any("expected a name of at most 160 letters" in line for line in lines)
    assert max(map(len, lines)) < 800


def test_a_link_in_a_circle_is_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    circle = tmp_path / "circle.yaml"
    circle.symlink_to(circle)
    for arguments in (
        ["simulate", str(circle), "tfc"],
        ["simulate", "pynq-tfc", str(circle)],
        ["simulate", "pynq-tfc", "tfc", "--weights-seed", "1", "--images", str(circle)],
        ["import", "onnx", str(circle), "--out", str(tmp_path)],
        ["import", "keras", str(circle), "--out", str(tmp_path)],
        ["import", "bnn-pynq", str(circle), "--topology", "cnv", "--out", str(tmp_path)],
        ["check", str(circle), "tfc"],
        ["explore", str(circle), "--trials", "1", "--out", str(tmp_path / "out")],
        ["explore", "--trials", "1", "--out", str(circle)],
        ["report", "pynq-tfc", "tfc", "--timing-only", "--out", str(circle)],
    ):
        assert run(arguments) == 2, arguments
        (line,) = capsys.readouterr().err.splitlines()
        assert "circle.yaml" in line, arguments
        assert "symbolic links" in line or "expected a" in line, arguments


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_argument_has_a_name(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, kind in (
        (["simulate", text, "tfc"], "architecture"),
        (["simulate", "pynq-tfc", text], "workload"),
        (["fold", "tfc", "--device", text, "--out", "a.yaml"], "device"),
        (["explore", text], ""),
        (["compare", f"{text}:tfc", "pynq-tfc:tfc"], "compare"),
    ):
        assert run(arguments) == 2
        message = capsys.readouterr().err
        place = message.partition(":")[0]
        assert place.strip() and kind in place, message


@pytest.mark.parametrize("form", [["--out", ""], ["--out="], ["--storage", ""], ["--study="]])
def test_an_empty_option_is_refused_instead_of_meaning_this_folder(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explore", "digits-7z020", "--trials", "1", *form]) == 2
    option = form[0].rstrip("=")
    assert capsys.readouterr().err == f"{option}: expected a value, got an empty one\n"


def test_a_name_from_a_damaged_file_is_cut_where_it_is_the_place() -> None:
    message = str(InputError(f"net.tflite: tensor 2 {'x' * 7000}", "a constant", "none"))
    assert message.startswith("net.tflite: tensor 2 xxx") and len(message) < 1000
    assert message.endswith("x... (7,021 characters): expected a constant, got none")


def test_a_long_key_keeps_its_colon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = complaints(tmp_path, capsys, change(ARCH, "layers:", f"layers:\n  {'x' * 300}: 1"), WORKLOAD)
    assert lines and all(": expected" in line for line in lines)
