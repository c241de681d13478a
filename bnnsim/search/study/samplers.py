"""The samplers that propose points, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SamplerName = Literal["nsga2", "nsga3", "tpe", "gp", "qmc", "random", "exact"]
SAMPLERS: tuple[SamplerName, ...] = ("nsga2", "nsga3", "tpe", "gp", "qmc", "random", "exact")
"""``random`` draws raw PE and SIMD (the baseline); ``exact`` is no sampler of Optuna's: see ``exact``."""

SEQUENTIAL: tuple[SamplerName, ...] = ("gp",)
"""Samplers that would propose the same point again and again until they know what became of it."""


def make_sampler(name: SamplerName, seed: int, trials: int) -> BaseSampler:
    """Optuna's sampler of that name. Raises :class:`InputError` where its extra is not installed."""
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
                return optuna.samplers.QMCSampler(seed=seed, scramble=True)
            case "gp":
                try:
                    import torch  # noqa: F401
                except ImportError:
                    raise InputError(
                        "--sampler gp", "PyTorch (pip install 'bnnsim[gp]')", "it is not installed"
                    ) from None
                return optuna.samplers.GPSampler(
                    seed=seed, n_startup_trials=0, deterministic_objective=True
                )
            case _:
                return optuna.samplers.RandomSampler(seed=seed)
