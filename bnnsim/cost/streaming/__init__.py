"""What a pipeline costs: each unit and each stream."""
