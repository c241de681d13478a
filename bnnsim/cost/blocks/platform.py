"""What connects a core to its processor and memory."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology


def platform_parts(tech: Technology, memory_ports: int = 1) -> tuple[Part, ...]:
    """Processor-side interconnect of a Zynq design: control bridge, one SmartConnect a memory port."""
    bridge = Amounts(
        lut_logic=tech["control_bridge_luts"] + tech["s_axi_luts"],
        lutram=tech["control_bridge_lutram"],
        ff=tech["control_bridge_ffs"] + tech["s_axi_ffs"],
    )
    connect = Amounts(
        lut_logic=tech["smartconnect_luts"],
        lutram=tech["smartconnect_lutram"],
        ff=tech["smartconnect_ffs"],
    )
    return (
        Part("control port", bridge),
        Part("memory interconnect", connect * memory_ports),
    )
