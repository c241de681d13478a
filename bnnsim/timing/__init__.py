"""Where a cycle is counted."""
