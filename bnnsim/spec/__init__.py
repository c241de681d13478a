"""What users write: YAML specs of devices, architectures and workloads, and what is wrong with them."""

from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import Fault, InputError, SpecError
from bnnsim.spec.load import Loaded, load_architecture, load_device, load_workload
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.spec.workload import Workload

__all__ = [
    "Architecture",
    "Device",
    "EngineArchitecture",
    "Fault",
    "InputError",
    "Loaded",
    "SpecError",
    "StreamingArchitecture",
    "Workload",
    "load_architecture",
    "load_device",
    "load_workload",
]
