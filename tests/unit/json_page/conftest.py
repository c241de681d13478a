"""The JSON of every command, written once for all tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bnnsim.cli.app import run
from tests.designs import HEADS_ARCHITECTURE, HEADS_WORKLOAD
from tests.unit.json_page.objects import RUNS

FINN_BUILDS = Path(__file__).resolve().parents[2] / "golden" / "imported" / "finn"
COMMANDS_RUN = {
    "validate": ["validate"],
    "compare": ["compare", "digits-7z020:digits", "acce-bnn:binarynet"],
    "compare-finn": ["compare-finn", str(FINN_BUILDS / "mlp")],
    "fifos": ["fifos", "digits-7z020", "digits"],
    "rtl": ["rtl", "digits-7z020", "digits", "--frames", "1", "--no-check", "--out", "hardware"],
    "explore": ["explore", "pynq-tfc", "tfc", "--trials", "4", "--jobs", "1", "--baseline", "0"],
    "explore for one": [
        *("explore", "pynq-tfc", "tfc", "--trials", "4", "--jobs", "1", "--verify", "none"),
        *("--minimise", "lut"),
    ],
    "sweep": ["sweep", "pynq-tfc", "tfc", "--knob", "layers.fc1.pe=8,7"],
    "fold": ["fold", "tfc", "--device", "xc7z020", "--fps", "1000", "--out", "folded.yaml"],
    "fold for parts": ["fold", "tfc", "--devices", "xc7z010,xc7z020", "--fps", "3e6"],
    "report": ["report", "pynq-tfc", "tfc", "--out", "page.html"],
    "trace": ["trace", "pynq-tfc", "tfc", "--vcd", "run.vcd", "--to", "9"],
    "vectors": ["vectors", "digits-7z020", "digits", "--frames", "1", "--out", "words"],
    "list": ["list"],
    "new": ["new", "engine", "digits", "--device", "xc7z020", "--out", "engine.yaml"],
}
IMPORTED = ("check", "import", "finn-folding")
"""Commands that need a model; the fixture makes it."""


@pytest.fixture(scope="package")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The JSON of four runs of evaluate, which holds that of simulate, and of the other commands."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "heads.yaml").write_text(HEADS_WORKLOAD)
    (folder / "heads-arch.yaml").write_text(HEADS_ARCHITECTURE)
    commands = {name: ["evaluate", *arguments] for name, arguments in RUNS.items()} | COMMANDS_RUN
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        commands["check"] = ["check", str(_imported(folder)), "net.yaml", "--random-inputs", "5"]
        commands["import"] = ["import", "net.onnx", "--out", "again"]
        assert run(["import", "finn", str(FINN_BUILDS / "mlp"), "--out", "mlp"]) == 0
        architecture, workload = sorted(Path("mlp").glob("*.yaml"))
        commands["finn-folding"] = [
            *("finn-folding", str(architecture), str(workload), str(FINN_BUILDS / "mlp")),
            *("--out", "folding.json"),
        ]
        for name, arguments in commands.items():
            assert run([*arguments, "--json", "out.json"]) == 0, name
            found[name] = json.loads((folder / "out.json").read_text())
    return found


def _imported(folder: Path) -> Path:
    """A model of one layer; its workload is net.yaml beside it."""
    pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
    from tests.golden.imported.onnx_models import Builder

    builder = Builder((1, 6))
    scores = builder.op("MatMul", builder.bipolar("x"), builder.signs(6, 3))
    model = builder.save(scores, folder / "net.onnx")
    assert run(["import", "onnx", str(model), "--out", str(folder)]) == 0
    return model
