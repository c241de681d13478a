"""What Linux can show of a system without fork, locks and limits."""
