"""What a pipeline's page shows."""
