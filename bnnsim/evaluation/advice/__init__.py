"""What would make a design faster: every advice is a changed design that was built, timed and costed."""
