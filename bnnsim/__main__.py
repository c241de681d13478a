"""``python -m bnnsim``: the command, where it is not on the path."""

from __future__ import annotations

from bnnsim.cli import main

if __name__ == "__main__":
    main()
