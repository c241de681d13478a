"""Models run as they are written, in numpy, by a path that shares nothing with the importers."""
