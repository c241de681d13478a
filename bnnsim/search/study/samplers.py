"""The samplers that propose points, by name: where a new one is added.

A new sampler of Optuna's, or one that keeps to its interface, takes two or three lines here:

1. Its name in :data:`SamplerName`: ``--sampler`` and ``explore(sampler=...)`` know it then.
2. Its case in :func:`make_sampler`; mypy says so where it is missing.
3. Where it proposes the same point again until it is told the result, its name in :data:`SEQUENTIAL`.

``tests/unit/search/study/test_search.py`` runs every name of :data:`SAMPLERS`: a search has as many
different designs as were asked for, whoever proposes them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, assert_never, get_args

from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SamplerName = Literal["nsga2", "nsga3", "tpe", "gp", "qmc", "random", "exact"]
"""``random`` draws raw PE and SIMD (the baseline); ``exact`` computes the front without a sampler, see
:mod:`bnnsim.search.front.exact`."""
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)

SEQUENTIAL: tuple[SamplerName, ...] = ("gp",)
"""Samplers that would propose the same point again and again until they know what became of it."""


def make_sampler(name: SamplerName, seed: int, trials: int) -> BaseSampler:
    """Optuna's sampler of that name.

    Args:
        name: any but ``exact``, which is no sampler.
        seed: of its draws; equal seeds give equal proposals for equal results.
        trials: how many are wanted; genetic samplers choose their population by it.

    Raises:
        InputError: where the sampler needs an extra that is not installed.

    Example:
        >>> type(make_sampler("tpe", seed=0, trials=100)).__name__
        'TPESampler'
    """
    import warnings

    import optuna

    population = max(10, min(50, trials // 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match name:
            case "nsga2":
                return optuna.samplers.NSGAIISampler(seed=seed, population_size=population)
            case "nsga3":
                return optuna.samplers.NSGAIIISampler(seed=seed, population_size=population)
            case "tpe":
                return optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=0)
            case "qmc":
                _need("scipy", "SciPy", name)
                return optuna.samplers.QMCSampler(seed=seed, scramble=True)
            case "gp":
                _need("torch", "PyTorch", name)
                _need("scipy", "SciPy", name)
                return optuna.samplers.GPSampler(
                    seed=seed, n_startup_trials=0, deterministic_objective=True
                )
            case "random":
                return optuna.samplers.RandomSampler(seed=seed)
            case "exact":
                raise AssertionError("the exact front needs no sampler")
            case _:
                assert_never(name)


def _need(module: str, title: str, sampler: str) -> None:
    if find_spec(module) is None:
        expected = f"{title} (pip install 'bnnsim[{sampler}]')"
        raise InputError(f"--sampler {sampler}", expected, "it is not installed")
