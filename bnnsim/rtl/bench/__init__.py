"""The bench: a design's top between a source and a sink, every stream held against golden words."""
