"""The samplers that propose points, by name: where a new one is added.

A new sampler takes two or three lines here:

1. Its name in :data:`SamplerName`: ``--sampler`` and ``explore(sampler=...)`` know it then.
2. Its case in :func:`bnnsim.search.study.proposer.proposer_of`, as an ``OptunaProposer`` where it is
   Optuna's; mypy says so where it is missing.

``tests/unit/search/study/test_search.py`` runs every name of :data:`SAMPLERS`: a search has as many
different designs as were asked for, whoever proposes them. Whether it is worth having says ``python -m
tests.benchmarks optimisers``.
"""

from __future__ import annotations

from typing import Literal, get_args

SamplerName = Literal["front", "random", "exact"]
"""``front`` is the project's own (:mod:`bnnsim.search.proposal.front_search`); ``random`` draws raw PE
and SIMD (the baseline); ``exact`` computes the front without a sampler
(:mod:`bnnsim.search.front.exact`)."""
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)
