"""TensorFlow Lite files, of Larq Compute Engine and plain, become ONNX graphs."""
