"""What each kind of layer computes."""
