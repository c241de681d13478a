"""Designs handed over as folders of hardware: the commands, the docs."""
