"""Files that are whole or not there, and arrays in them."""
