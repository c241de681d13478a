"""Trained networks from other projects' files, written as a workload and its weights."""

from bnnsim.importers.bnn_pynq.network import import_bnn_pynq
from bnnsim.importers.check.check import check_model
from bnnsim.importers.check.report import CheckReport, LayerCheck, OutputCheck
from bnnsim.importers.draft.write import ImportedNetwork, LayerFolding
from bnnsim.importers.finn.network import ImportedFinn, import_finn
from bnnsim.importers.keras.network import import_keras
from bnnsim.importers.model import import_model
from bnnsim.importers.onnx.network import import_onnx

__all__ = [
    "CheckReport",
    "ImportedFinn",
    "ImportedNetwork",
    "LayerCheck",
    "LayerFolding",
    "OutputCheck",
    "check_model",
    "import_bnn_pynq",
    "import_finn",
    "import_keras",
    "import_model",
    "import_onnx",
]
