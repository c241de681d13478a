"""Simulation: a design's frames through its hardware, cycle by cycle and bit by bit."""

from bnnsim.simulation.load import load_design as load_design
from bnnsim.simulation.load import load_streaming_design as load_streaming_design
from bnnsim.simulation.options import ExecutorName as ExecutorName
from bnnsim.simulation.options import Images as Images
from bnnsim.simulation.options import Progress as Progress
from bnnsim.simulation.options import RunOptions as RunOptions
from bnnsim.simulation.record import FifoReport as FifoReport
from bnnsim.simulation.record import LayerReport as LayerReport
from bnnsim.simulation.record import OutputReport as OutputReport
from bnnsim.simulation.record import Simulation as Simulation
from bnnsim.simulation.record import UnitReport as UnitReport
from bnnsim.simulation.run import simulate as simulate
from bnnsim.simulation.run import simulate_design as simulate_design
from bnnsim.simulation.stimulus import Stimulus as Stimulus
from bnnsim.simulation.stimulus import TimingOnly as TimingOnly
from bnnsim.simulation.stimulus import stimulate as stimulate
from bnnsim.simulation.streaming import datapaths_for as datapaths_for
