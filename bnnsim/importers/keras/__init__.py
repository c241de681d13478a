"""Keras and Larq files become ONNX graphs."""
