"""What an engine costs: its arrays, stages, buffers, ports and controller as named parts."""
