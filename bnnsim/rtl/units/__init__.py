"""What each kind of unit is in the hardware library: a module, its parameters, its memories."""
