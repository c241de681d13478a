"""Designs as Verilog: every word and every cycle as the simulation says."""
