"""How values are held: elements, packed words, feature maps, panels for the kernels."""
