"""A space becomes points: parameters for a sampler, seeds, specs."""
