"""What everything is built from: memories, logic, the platform, and the coefficients with sources."""
