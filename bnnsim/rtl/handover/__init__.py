"""A design as a folder of hardware: what stands around the modules, and the check of the whole."""
