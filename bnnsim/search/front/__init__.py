"""Which designs nothing beats: objectives, evaluation of a point, dominance, verification."""
