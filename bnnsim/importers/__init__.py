"""Trained networks from other projects' files, written as a workload and its weights."""

from bnnsim.importers.bnn_pynq import import_bnn_pynq
from bnnsim.importers.write import ImportedNetwork, LayerFolding

__all__ = ["ImportedNetwork", "LayerFolding", "import_bnn_pynq"]
