"""Fronts that searches are measured against."""
