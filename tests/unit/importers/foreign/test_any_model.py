"""``bnnsim import FILE``: what a file is, is found out, said, and refused where nothing reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.cli.app import run  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402
from tests.unit.importers.bnn_pynq.parameter_folders import random_layer, write_layer  # noqa: E402
from tests.unit.importers.keras.keras_models import binarynet  # noqa: E402


def _onnx(folder: Path, name: str = "net.onnx") -> Path:
    b = Builder((1, 6))
    return b.save(b.op("MatMul", b.bipolar("x"), b.signs(6, 3)), folder / name)


def test_the_command_says_what_a_file_is_and_imports_it(tmp_path, capsys):
    keras = binarynet(scale=True).save_h5(tmp_path / "net.bin")
    for path, name in ((_onnx(tmp_path), "an ONNX file"), (keras, "a Keras file")):
        out = tmp_path / f"out{path.suffix}"
        words = ["--input-type", "uint8"] if path == keras else []
        assert run(["import", str(path), "--out", str(out), *words]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert said.startswith(f"format {path}: {name} workload {out / 'net.yaml'} ")
        check = ["check", str(path), str(out / "net.yaml"), "--random-inputs", "3"]
        assert run(check) == 0
        capsys.readouterr()


def test_options_may_stand_in_front_of_the_file(tmp_path):
    assert run(["import", "--out", str(tmp_path / "out"), str(_onnx(tmp_path))]) == 0
    assert (tmp_path / "out" / "net.yaml").is_file()


def test_a_folder_with_one_model_stands_for_it(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    _onnx(folder)
    (folder / "README.md").write_text("a network\n")
    assert import_model(folder, tmp_path / "out").workload.name == "net"
    _onnx(folder, "other.onnx")
    with pytest.raises(InputError, match=r"export: expected a folder with one model in it, got net\.o"):
        import_model(folder, tmp_path / "out")


@pytest.mark.parametrize("name", ["net2.onnx", "net.h5", "net-symbol.json", "net-0001.params", "a.dab"])
def test_a_damaged_model_beside_a_whole_one_is_said(name, tmp_path):
    _onnx(tmp_path)
    (tmp_path / name).write_bytes(b"\0\0 nothing \xff")
    with pytest.raises(InputError, match=f"{name}: expected .*, got a file of no known format"):
        import_model(tmp_path, tmp_path / "out")


def test_a_damaged_epoch_does_not_give_way_to_an_older_one(tmp_path):
    golden = Path(__file__).resolve().parents[3] / "golden" / "imported" / "mxnet"
    for name in ("packed-symbol.json", "packed-0001.params"):
        (tmp_path / name).write_bytes((golden / name).read_bytes())
    (tmp_path / "packed-0002.params").write_bytes(b"")
    for path in (tmp_path, tmp_path / "packed-symbol.json"):
        with pytest.raises(InputError, match=r"packed-0002\.params: expected parameters of MXNet"):
            import_model(path, tmp_path / "out")
    (tmp_path / "other-0002.params").write_bytes(b"")
    (tmp_path / "packed-0002.params").unlink()
    symbol = tmp_path / "packed-symbol.json"
    assert import_model(symbol, tmp_path / "out", input_type="uint8").workload.layers


def test_a_parameter_folder_tells_its_topology_by_its_layers(tmp_path):
    sizes = [(1024, 832), (1024, 1024), (1024, 1024), (64, 1024)]
    for index, (rows, columns) in enumerate(sizes):
        (tmp_path / "lfc").mkdir(exist_ok=True)
        write_layer(tmp_path / "lfc", index, random_layer(index, rows, columns, (32, 64), (0, 100)))
    assert len(import_model(tmp_path / "lfc", tmp_path / "out").workload.layers) == 4
    short = tmp_path / "short"
    short.mkdir()
    write_layer(short, 0, random_layer(0, 64, 64, (32, 64), (0, 100)))
    with pytest.raises(InputError, match=r"expected 9 layers \(cnv\) or 4 layers \(lfc\), or a .* got 1"):
        import_model(short, tmp_path / "out2")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\x1f\x8b\x08" + bytes(20), "got a compressed file: unpack it first"),
        (b"\x80\x02}", "got a Python pickle"),
        (b"hello world", r"expected a model \(an ONNX file, a Keras file, .*of no known format"),
        (b"", "of no known format"),
        (None, "got nothing there"),
    ],
)
def test_what_nothing_reads_is_refused_in_one_line(content, match, tmp_path, capsys):
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    assert run(["import", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert not said.out and len(said.err.splitlines()) == 1 and re.search(match, said.err)
    assert not (tmp_path / "out").exists()
