"""The documents are followed: their commands run, and print what they are said to print."""
