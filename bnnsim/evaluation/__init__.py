"""A design judged: what it costs, how fast it is, in one record."""
