"""How values are held: elements, packed words, feature maps, weights tiled for the kernels."""
