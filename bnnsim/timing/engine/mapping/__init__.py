"""Loops that are left to the tool: ways to run a layer, and the fastest."""
