"""What a design costs: resources, power and achievable clock, each figure from a sourced coefficient."""
