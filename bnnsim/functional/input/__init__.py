"""From pictures to frames."""
