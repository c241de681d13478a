"""The DRAM behind a port, as stated parameters: bursts, rows, turns of the bus, refresh."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bnnsim.spec.model import Count, SpecModel

Nanoseconds = Annotated[float, Field(ge=0, le=1e6)]


class Dram(SpecModel):
    """What the memory itself takes. Not modelled: which bank a row is in, other masters, queues.

    The words of a transfer stand at addresses that follow each other: they hit an open row, and each
    row's bits cost one precharge and activate; that of its first access is part of the port's latency. A
    store turns the bus and back, once. Refreshes take their share of all of it.
    """

    data_bits: Count
    """Width of its bus."""
    rate_mt_s: Annotated[float, Field(gt=0, le=1e5)]
    """Transfers a second on each line of it, in millions (DDR3-1066: 1066)."""
    burst_transfers: Count = 8
    """Transfers of a burst; what is moved takes whole bursts."""
    row_bits: Count
    """Bits of a row (page) of all chips together."""
    activate_ns: Nanoseconds
    """From activating a row to its first access (tRCD)."""
    precharge_ns: Nanoseconds
    """To close a row (tRP)."""
    read_to_write_ns: Nanoseconds = 0.0
    """Idle bus between the last read and the first write."""
    write_to_read_ns: Nanoseconds = 0.0
    """From the last write to the first read."""
    refresh_ns: Nanoseconds
    """A refresh (tRFC), in which nothing moves."""
    refresh_every_ns: Annotated[float, Field(gt=0, le=1e9)]
    """From one refresh to the next (tREFI)."""
    source: Annotated[str, Field(min_length=1)]
    """Where its parameters come from."""

    @model_validator(mode="after")
    def _time_is_left(self) -> Dram:
        if self.refresh_ns >= self.refresh_every_ns:
            raise ValueError("a refresh_ns below refresh_every_ns")
        return self
