"""Published results as data, placed designs with known structure, and how far the models are off."""
