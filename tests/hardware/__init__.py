"""Emitted Verilog held against the simulation, in simulators where the machine has some."""
