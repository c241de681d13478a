"""MXNet's and BMXNet's symbols and parameters become ONNX graphs."""
