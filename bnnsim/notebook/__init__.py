"""How results show themselves in scripts and notebooks: rows, pictures, a table with a drawing."""
