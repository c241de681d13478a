"""Files of other tools: what they are, and which of their settings are understood."""
