"""An engine and a network: loops, buffers and transfers resolved to whole numbers."""
