"""How a study runs: who proposes, who evaluates, with how many processes."""
