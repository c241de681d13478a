"""What is wrong with a BNN-PYNQ parameter folder is said by file, expected and got, all at once."""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from bnnsim.importers import import_bnn_pynq
from bnnsim.spec import InputError, SpecError

from .parameter_folders import random_layer, write_layer

# LFC with few, wide words: rows, columns, (PE, SIMD).
LFC_SIZES = [
    (1024, 832, (4, 64)),
    (1024, 1024, (4, 64)),
    (1024, 1024, (2, 64)),
    (64, 1024, (4, 32)),
]


@pytest.fixture(scope="module")
def made_lfc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "lfcW1A1"
    folder.mkdir()
    for index, (rows, columns, fold) in enumerate(LFC_SIZES):
        layer = random_layer(index, rows, columns, fold, (0, columns))
        write_layer(folder, index, layer)
    (folder / "classes.txt").write_text("\n".join("0123456789"))
    return folder


@pytest.fixture
def lfc(made_lfc: Path, tmp_path: Path) -> Path:
    copy: Path = shutil.copytree(made_lfc, tmp_path / "digits" / "lfcW1A1")
    return copy


def faults_of(folder: Path, tmp_path: Path, topology: Any = "lfc", **more: Any) -> list[str]:
    """The messages, with the folder's own path left out; asserts that nothing was written."""
    with pytest.raises(SpecError, match="expected") as raised:
        import_bnn_pynq(folder, topology, tmp_path / "out", **more)
    assert not (tmp_path / "out").exists()
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def shorten(path: Path, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


def test_a_whole_folder_has_no_fault(lfc: Path, tmp_path: Path) -> None:
    imported = import_bnn_pynq(lfc, "lfc", tmp_path / "out")
    assert imported.workload.name == "lfc-digits"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(InputError, match=r"nowhere: expected a folder of BNN-PYNQ parameters, got"):
        import_bnn_pynq(missing, "cnv", tmp_path)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "weights.zip"
    file.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"expected a folder of BNN-PYNQ parameters, got a file"):
        import_bnn_pynq(file, "cnv", tmp_path)


def test_an_unknown_topology_names_the_known_ones(lfc: Path, tmp_path: Path) -> None:
    topology: Any = "cvn"
    match = r"topology: expected cnv or lfc, or a workload's file, got 'cvn' \(nearest: cnv\)"
    with pytest.raises(InputError, match=match):
        import_bnn_pynq(lfc, topology, tmp_path)


def test_a_name_that_no_spec_could_have_is_refused(lfc: Path, tmp_path: Path) -> None:
    (fault,) = faults_of(lfc, tmp_path, name="../other")
    assert fault == (
        "name: expected a name of at most 160 letters, digits, _ . - that starts with a letter, "
        "got '../other'"
    )


def test_an_empty_folder_says_what_should_be_there(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (fault,) = faults_of(empty, tmp_path)
    assert fault.endswith(
        "empty: expected files LAYER-PE-weights.bin and LAYER-PE-thres.bin of 4 layers, got none"
    )


def test_layers_of_the_other_topology_point_to_it(lfc: Path, tmp_path: Path) -> None:
    faults = faults_of(lfc, tmp_path, "cnv")
    assert faults[0].endswith(
        "expected the layers 0 to 8 of topology cnv, got layers 0, 1, 2, 3 (nearest: topology lfc)"
    )


def test_a_lost_layer_is_said_once(lfc: Path, tmp_path: Path) -> None:
    for path in lfc.glob("2-*"):
        path.unlink()
    (fault,) = faults_of(lfc, tmp_path)
    assert "expected the layers 0 to 3 of topology lfc, got layers 0, 1, 3" in fault


def test_every_missing_file_is_named(lfc: Path, tmp_path: Path) -> None:
    (lfc / "0-3-weights.bin").unlink()
    (lfc / "1-2-thres.bin").unlink()
    assert faults_of(lfc, tmp_path) == [
        "0-3-weights.bin: expected a file for each of 4 PEs (1024 rows), got nothing there",
        "1-2-thres.bin: expected a file for each of 4 PEs (1024 rows), got nothing there",
    ]


def test_a_stray_pe_number_is_named(lfc: Path, tmp_path: Path) -> None:
    shutil.copy(lfc / "1-3-weights.bin", lfc / "1-5-weights.bin")
    assert faults_of(lfc, tmp_path) == [
        "1-5-weights.bin: expected PE numbers 0 to 3 (4 PEs for 1024 rows), got PE 5"
    ]


def test_a_bin_file_of_another_name_is_refused(lfc: Path, tmp_path: Path) -> None:
    shutil.copy(lfc / "1-3-weights.bin", lfc / "1-03-weights.bin")
    assert faults_of(lfc, tmp_path) == [
        "1-03-weights.bin: expected a name LAYER-PE-weights.bin or LAYER-PE-thres.bin,"
        " got '1-03-weights.bin'"
    ]


def test_a_truncated_file_is_measured_against_its_layer(lfc: Path, tmp_path: Path) -> None:
    shorten(lfc / "0-1-weights.bin", 8)
    assert faults_of(lfc, tmp_path) == [
        "0-1-weights.bin: expected 26624 bytes, as most files of layer 0, got 26616 bytes"
    ]


@pytest.mark.parametrize("left", [0, 2047])
def test_a_file_of_no_or_broken_words_is_named(lfc: Path, tmp_path: Path, left: int) -> None:
    path = lfc / "1-1-thres.bin"
    path.write_bytes(path.read_bytes()[:left])
    assert faults_of(lfc, tmp_path) == [
        f"1-1-thres.bin: expected whole words of 8 bytes, got {left} bytes"
    ]


def test_weights_that_fit_no_folding_name_the_nearest_sizes(lfc: Path, tmp_path: Path) -> None:
    for path in lfc.glob("0-*-weights.bin"):
        shorten(path, 16)
    (fault,) = faults_of(lfc, tmp_path)
    assert fault == (
        "0-0-weights.bin (and 3 like it): expected 8 * rows / 4 * 832 / SIMD bytes for a whole"
        " SIMD <= 64 (1024 rows on 4 PEs), got 26608 bytes (nearest: 26624 bytes)"
    )


def test_thresholds_of_the_wrong_count_are_measured_against_the_rows(
    lfc: Path, tmp_path: Path
) -> None:
    for path in lfc.glob("2-*-thres.bin"):
        shorten(path, 64)
    assert faults_of(lfc, tmp_path) == [
        "2-0-thres.bin (and 1 like it): expected 4096 bytes (an int64 a row: 1024 rows on 2 PEs),"
        " got 4032 bytes"
    ]


def test_half_of_a_layers_files_is_not_taken_for_another_folding(lfc: Path, tmp_path: Path) -> None:
    for layer in (1, 3):  # the last layer may be short, but only after the rows of the classes
        for pe in (2, 3):
            (lfc / f"{layer}-{pe}-weights.bin").unlink()
            (lfc / f"{layer}-{pe}-thres.bin").unlink()
    faults = faults_of(lfc, tmp_path)
    assert [re.split(r"[ :]", fault)[0] for fault in faults] == [
        "1-0-thres.bin",
        "1-0-weights.bin",
        "3-0-thres.bin",
    ]
    assert "expected 256 or 40 bytes (an int64 a row: 64 or 10 rows on 2 PEs)" in faults[2]
    assert faults[2].endswith("got 128 bytes")


def test_a_short_last_layer_needs_the_classes_to_be_believed(lfc: Path, tmp_path: Path) -> None:
    (lfc / "classes.txt").unlink()
    for path in lfc.glob("3-*-thres.bin"):
        shorten(path, 64)
    (fault,) = faults_of(lfc, tmp_path)
    assert fault.endswith("expected 128 bytes (an int64 a row: 64 rows on 4 PEs), got 64 bytes")


def test_bits_above_simd_are_refused(lfc: Path, tmp_path: Path) -> None:
    path = lfc / "3-1-weights.bin"
    words = bytearray(path.read_bytes())
    words[8 * 5 : 8 * 6] = struct.pack("<Q", 1 << 40)
    path.write_bytes(words)
    assert faults_of(lfc, tmp_path) == [
        "3-1-weights.bin: expected zeros above the 32 bits of SIMD 32 (512 words a file),"
        " got bit 40 set in word 5"
    ]


def test_thresholds_beyond_32_bits_are_refused(lfc: Path, tmp_path: Path) -> None:
    path = lfc / "2-1-thres.bin"
    path.write_bytes(path.read_bytes()[:-8] + struct.pack("<q", 1 << 31))
    assert faults_of(lfc, tmp_path) == [
        "2-1-thres.bin: expected thresholds within 32 bits, got 2147483648 at word 511"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected one class a line, got an empty file"),
        (b"one\n\nthree\n", "expected one class a line, got an empty line 2"),
        ("\n".join(map(str, range(65))).encode(), "expected at most 64 classes, got 65"),
        (b"caf\xe9\n", "expected a readable UTF-8 text file, got 'utf-8' codec can't decode"),
    ],
)
def test_bad_classes_are_refused(lfc: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (lfc / "classes.txt").write_bytes(content)
    (fault,) = faults_of(lfc, tmp_path)
    assert fault.startswith(f"classes.txt: {message}")


def test_all_faults_of_a_folder_come_at_once(lfc: Path, tmp_path: Path) -> None:
    (lfc / "0-3-weights.bin").unlink()
    shorten(lfc / "1-1-weights.bin", 8)
    shorten(lfc / "2-0-thres.bin", 3)
    (lfc / "classes.txt").write_text("a\n\nb")
    faults = faults_of(lfc, tmp_path, name="9")
    assert [fault.split(":")[0] for fault in faults] == [
        "0-3-weights.bin",
        "1-1-weights.bin",
        "2-0-thres.bin",
        "classes.txt",
        "name",
    ]


def test_a_place_that_cannot_be_written_is_named(lfc: Path, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("a file")
    with pytest.raises(InputError, match=r"taken: expected a folder that can be written, got "):
        import_bnn_pynq(lfc, "lfc", place)
