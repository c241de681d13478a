"""The DRAM behind a port: bursts, rows, turns of the bus, refresh, by hand and against a board."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnnsim.design.engine.memory import dram_pace
from bnnsim.design.engine.program import Transfer
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.engine.blocks import Port
from bnnsim.spec.faults import SpecError
from bnnsim.spec.load import read_architecture
from bnnsim.timing.engine.compiled import run_engine_compiled
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.mapped import mapped_design
from tests.unit.timing.test_engine_mapping import ENGINE, conv, network

SLOW = {
    "data_bits": 32,
    "rate_mt_s": 100,
    "row_bits": 1024,
    "activate_ns": 15,
    "precharge_ns": 25,
    "read_to_write_ns": 20,
    "write_to_read_ns": 30,
    "refresh_ns": 0,
    "refresh_every_ns": 1000,
    "source": "made for this test",
}


def transfer(words: int, burst_words: int, is_store: bool = False, **dram: Any) -> Transfer:
    """Through a port of 64 bits at 100 MHz with a latency of 5 cycles."""
    data = {"width_bits": 64, "latency_cycles": 5, "source": "made up", "dram": {**SLOW, **dram}}
    port = Port.model_validate(data)
    pace = dram_pace(port, 100.0, is_store)
    way: Any = "store" if is_store else "load"
    return Transfer("weights", way, "w", "ddr", words, burst_words, 5, 1, True, (), pace)


def test_bursts_and_rows_are_counted_by_hand() -> None:
    # 64 words are 4,096 bits: 16 bursts of 8 x 32 bits, 80 ns each; 4 rows of 40 ns: 1,440 ns
    assert transfer(64, 64).cycles == 5 + 144
    # two bursts of the port: twice the latency
    assert transfer(64, 32).cycles == 2 * 5 + 144
    # 3 words are 192 bits of a burst of 256: 80 ns, and 192 / 1,024 of 40 ns
    assert transfer(3, 64).cycles == 5 + 9


def test_a_store_turns_the_bus_once_and_refreshes_take_their_share() -> None:
    assert transfer(64, 32, is_store=True).cycles == 2 * 5 + 149  # 1,440 + 50 ns
    assert transfer(64, 64, refresh_ns=100).cycles == 5 + 160  # 1,440 / 0.9
    assert transfer(64, 64, is_store=True, refresh_ns=100).cycles == 5 + 166  # 1,490 / 0.9 = 1,655.6


def test_a_port_slower_than_its_dram_sets_the_pace() -> None:
    assert transfer(64, 64, rate_mt_s=1000, row_bits=1 << 20).cycles == 5 + 64


def test_sequential_reads_are_as_fast_as_a_zynqs_were_measured() -> None:
    """UG585, DDR efficiency: 97 % of 32 bits at 1,050 MT/s, sequential reads of four ports. Its chips are
    2 Gbit x 16, with rows of 2 KB (JESD79-3: tRCD and tRP 13.125 ns, tRFC 160 ns)."""
    dram = {
        **SLOW,
        "rate_mt_s": 1050,
        "row_bits": 2 * 2048 * 8,
        "activate_ns": 13.125,
        "precharge_ns": 13.125,
        "refresh_ns": 160,
        "refresh_every_ns": 7800,
    }
    data = {"width_bits": 256, "latency_cycles": 0, "source": "four ports of 64 bits", "dram": dram}
    pace = dram_pace(Port.model_validate(data), 150.0, is_store=False)
    words = 1 << 16
    load = Transfer("weights", "load", "w", "ddr", words, words, 0, 1, True, (), pace)
    moved_mb_s = words * 32 / (load.cycles / 150)
    assert moved_mb_s / (4 * 1050) == pytest.approx(0.97, abs=0.02)


def engine(**dram: Any) -> dict[str, Any]:
    data = copy.deepcopy(ENGINE)
    data["ports"]["ddr"]["dram"] = {**SLOW, **dram}
    data["ports"]["ddr"]["max_burst_words"] = 16
    return data


@pytest.mark.parametrize("rate", [50, 400, 3200])
@pytest.mark.parametrize("double", [False, True])
def test_both_executors_agree_and_a_faster_dram_makes_no_frame_slower(rate: int, double: bool) -> None:
    workload = network(conv("conv0", 16), conv("conv1", 8), {"name": "fc", "op": "linear", "out": 4})
    data = engine(rate_mt_s=rate, refresh_ns=160, refresh_every_ns=7800)
    data["buffers"]["weights"] |= {"double": double, "words": 200}
    program = mapped_design(EngineArchitecture.model_validate(data), workload).program
    slow, fast = run_engine_simpy(program, 4), run_engine_compiled(program, 4)
    assert slow.frame_end_cycles == fast.frame_end_cycles and slow.units == fast.units
    del data["ports"]["ddr"]["dram"]
    without = mapped_design(EngineArchitecture.model_validate(data), workload).program
    assert run_engine_compiled(without, 4).cycles_total <= fast.cycles_total


def test_a_dram_that_only_refreshes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(engine(refresh_ns=1000), sort_keys=False), encoding="utf-8")
    with pytest.raises(SpecError, match=r"ports.ddr.dram.*a refresh_ns below refresh_every_ns"):
        mapped_design(read_architecture(file), network(conv("conv0", 16)))
