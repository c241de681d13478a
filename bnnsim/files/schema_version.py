"""The version of the JSON that commands write: it grows when a key goes or changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCHEMA_VERSION = 1


def versioned(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with the version before everything else."""
    return {"schema_version": SCHEMA_VERSION, **data}
