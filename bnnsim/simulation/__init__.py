"""Simulation: a design's frames through its hardware, cycle by cycle and bit by bit."""

from bnnsim.simulation.record import FifoReport as FifoReport
from bnnsim.simulation.record import LayerReport as LayerReport
from bnnsim.simulation.record import Simulation as Simulation
from bnnsim.simulation.record import UnitReport as UnitReport
from bnnsim.simulation.run import ExecutorName as ExecutorName
from bnnsim.simulation.run import Progress as Progress
from bnnsim.simulation.run import check_arguments as check_arguments
from bnnsim.simulation.run import datapaths_for as datapaths_for
from bnnsim.simulation.run import load_design as load_design
from bnnsim.simulation.run import load_streaming_design as load_streaming_design
from bnnsim.simulation.run import simulate as simulate
from bnnsim.simulation.stimulus import Stimulus as Stimulus
from bnnsim.simulation.stimulus import stimulate as stimulate
