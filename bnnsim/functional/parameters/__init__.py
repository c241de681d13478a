"""Weights and thresholds: read, checked, drawn, saved."""
