"""The kernels of periodic schedules: one frame of every unit, the others' frames being the same."""
