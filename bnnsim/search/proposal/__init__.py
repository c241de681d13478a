"""Who proposes points: moves from the front, and which of them to judge."""
