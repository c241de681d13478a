"""What this project's own modules take: flip-flops from their structure, LUTs as Yosys counts them."""
