"""What each ONNX operator adds to the draft."""
