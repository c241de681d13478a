"""Golden vectors: every word and every memory of a run, for a testbench to read."""

from bnnsim.report.vectors.write import Vectors, write_vectors

__all__ = ["Vectors", "write_vectors"]
