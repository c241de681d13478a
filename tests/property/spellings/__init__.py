"""Random networks, what they compute in plain loops, and the files that several tools write of them."""
