"""Find better accelerators: ``python explore.py`` (the same as ``bnnsim explore``)."""

from __future__ import annotations

import sys

from bnnsim.cli import main

if __name__ == "__main__":
    main(["explore", *sys.argv[1:]])
