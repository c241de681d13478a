"""What every page is made of: figures, costs, the answer, the document."""
