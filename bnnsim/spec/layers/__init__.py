"""What users write about a layer: the base of all, and families that stand by themselves."""
