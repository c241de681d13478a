"""daBNN's .dab files become ONNX graphs of plain operators."""
