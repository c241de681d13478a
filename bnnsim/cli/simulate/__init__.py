"""Commands that run one design: simulate, evaluate, and validate on published ones."""
