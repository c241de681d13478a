"""FIFOs as shallow as the throughput allows."""
