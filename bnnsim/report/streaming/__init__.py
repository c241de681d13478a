"""A pipeline's page: timeline, occupancy, roofline, what limits it."""
