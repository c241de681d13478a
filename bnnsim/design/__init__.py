"""Architecture x network: shapes inferred, folding checked, units and streams laid out."""

from bnnsim.design.build import Design, build_design
from bnnsim.design.network.network import Network, Node, resolve_network
from bnnsim.design.streaming.units import Stream, StreamingGraph, Unit

__all__ = [
    "Design",
    "Network",
    "Node",
    "Stream",
    "StreamingGraph",
    "Unit",
    "build_design",
    "resolve_network",
]
