"""Commands that choose designs: explore, sweep, fold, fifos."""
