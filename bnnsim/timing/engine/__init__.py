"""How an engine spends its cycles: schedule, SimPy reference, compiled executor, account."""
