"""An exploration from a space to its pages: searched, verified, written."""

DEFAULT_SPACE = "cnv-7z020"
"""What is searched where nothing is named."""
