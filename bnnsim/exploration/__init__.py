"""An exploration from a space to its pages: searched, verified, written."""
