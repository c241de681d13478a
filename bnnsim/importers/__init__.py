"""Trained networks from other projects' files, written as a workload and its weights."""

from bnnsim.importers.bnn_pynq import import_bnn_pynq
from bnnsim.importers.keras_model import import_keras
from bnnsim.importers.onnx_check import CheckReport, LayerCheck, check_model
from bnnsim.importers.onnx_import import import_onnx
from bnnsim.importers.write import ImportedNetwork, LayerFolding

__all__ = [
    "CheckReport",
    "ImportedNetwork",
    "LayerCheck",
    "LayerFolding",
    "check_model",
    "import_bnn_pynq",
    "import_keras",
    "import_onnx",
]
