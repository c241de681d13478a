"""Files of other tools: what they are, and one boundary around all that reads them."""
