"""ONNX becomes a network."""
