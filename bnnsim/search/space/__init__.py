"""A space as its file says it: knobs, and the fields that follow them."""
