"""What users write about a streaming pipeline: one unit a layer."""
