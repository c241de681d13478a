"""What connects a core to its processor and memory."""

from __future__ import annotations

from typing import assert_never

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.streaming.platform import Platform, PlatformName


def platform_parts(tech: Technology, memory_ports: int = 1) -> tuple[Part, ...]:
    """An engine on a Zynq: control bridge, and a SmartConnect for each memory port."""
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


def pipeline_platform(
    tech: Technology, platform: PlatformName | Platform, is_one_core: bool
) -> tuple[Part, ...]:
    """What a pipeline's ``platform`` takes, the DMAs of its ends apart.

    ``is_one_core`` tells a pipeline that Vivado HLS made as one core, for the platform ``auto``.
    """
    if isinstance(platform, Platform):
        own = Amounts(
            lut_logic=platform.lut,
            lutram=platform.lutram,
            ff=platform.ff,
            bram18=platform.bram18,
            dsp=platform.dsp,
        )
        return (Part(platform.name, own),)
    if platform == "auto":
        platform = "none" if not tech.is_zynq else "pynq-2017" if is_one_core else "pynq-2019"
    match platform:
        case "none" | "out-of-context" | "vitis":
            return ()
        case "pynq-2017":
            return _pynq_2017(tech)
        case "pynq-2019":
            size = "ultrascale_plus" if tech.is_ultrascale_plus else "7_series"
            shell = Amounts(
                lut_logic=tech[f"pynq_2019_luts_{size}"], ff=tech[f"pynq_2019_ffs_{size}"]
            )
            return (Part("interconnect", shell),)
        case _:
            assert_never(platform)


def _pynq_2017(tech: Technology) -> tuple[Part, ...]:
    """Reports of this platform are of UltraScale+."""
    share = tech.ultrascale_plus_share
    luts = share * tech["pynq_2017_control_luts"]
    control = Amounts(lut_logic=luts, ff=tech["pynq_2017_control_ffs"])
    bridge = Amounts(
        lut_logic=share * tech["pynq_2017_bridge_luts"],
        lutram=tech["pynq_2017_bridge_lutram"],
        ff=tech["pynq_2017_bridge_ffs"],
    )
    connect = Amounts(
        lut_logic=share * tech["pynq_2017_interconnect_luts"],
        lutram=tech["pynq_2017_interconnect_lutram"],
        ff=tech["pynq_2017_interconnect_ffs"],
    )
    return (
        Part("control port", control),
        Part("control bridge", bridge),
        Part("memory interconnect", connect),
    )
