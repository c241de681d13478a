"""Without fcntl, resource, fork and signal masks all is imported, simulated, searched and written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.imported_modules import module_paths

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
OPTIONAL = ("onnx", "h5py", "tflite", "flatbuffers", "psycopg", "PIL", "qonnx")


def run_hidden(script: str, folder: Path) -> str:
    """What a script prints that runs, with its processes, where those modules are hidden."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    paths = os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths.rstrip(os.pathsep)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_modules_are_hidden(tmp_path: Path) -> None:
    script = (
        "import importlib, multiprocessing, os, signal\n"
        "for name in ('fcntl', 'resource', 'multiprocessing.forkserver'):\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ImportError:\n"
        "        print(name)\n"
        "print(multiprocessing.get_all_start_methods(), hasattr(os, 'fork'),"
        " hasattr(signal, 'pthread_sigmask'))\n"
    )
    said = run_hidden(script, tmp_path).splitlines()
    assert said == ["fcntl", "resource", "multiprocessing.forkserver", "['spawn'] False False"]


def test_every_module_is_imported(tmp_path: Path) -> None:
    names = [name for name in module_paths(ROOT, "bnnsim") if not name.endswith("__main__")]
    script = f"""
import importlib
for name in {names!r}:
    try:
        importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").split(".")[0] not in {OPTIONAL!r}:
            raise
print("all")
"""
    assert run_hidden(script, tmp_path) == "all\n"


def test_designs_are_simulated_searched_by_processes_and_written(tmp_path: Path) -> None:
    script = """
import bnnsim
from pathlib import Path

def main():
    run = bnnsim.simulate("digits-7z020", "digits", frames=3)
    print(run.bit_exact, run.predictions == run.labels)
    found = bnnsim.explore("pynq-tfc", "tfc", trials=8, jobs=2, baseline=0, verify_words=0, out="search")
    print(len(found.exploration.trials), sorted(p.name for p in Path("search").iterdir()))
    again = bnnsim.explore(
        "pynq-tfc", "tfc", trials=8, jobs=1, baseline=0, verify_words=0, out="search", resume=True
    )
    print(again.rows() == found.rows())
    print(bnnsim.rtl("digits-7z020", "digits", "hardware", frames=1, check=False).verdict)
    print(bnnsim.report("pynq-tfc", "tfc", "page.html", timing_only=True).stat().st_size > 10_000)

if __name__ == "__main__":
    main()
"""
    said = run_hidden(script, tmp_path).splitlines()
    assert said[0] == "True True"
    assert said[1].startswith("8 [") and "pareto.html" in said[1]
    assert said[2:] == ["True", "not_checked", "True"]


def test_a_keras_file_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
    pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
    model = ROOT / "tests" / "golden" / "imported" / "larq" / "sequential.h5"
    script = f"""
import bnnsim
from pathlib import Path

model = Path({str(model)!r})
told = dict(input_type="uint8", image_range=(0, 255))
print(bnnsim.import_model(model, "nets", **told).workload.name)
Path("half.h5").write_bytes(model.read_bytes()[: model.stat().st_size // 2])
try:
    bnnsim.import_model("half.h5", "nets", **told)
except bnnsim.SpecError as error:
    print(str(error).count("\\n"), str(error).startswith("half.h5"))
"""
    assert run_hidden(script, tmp_path).splitlines() == ["sequential", "0 True"]
