"""What units do, as data: programs, and the graph of them."""
