"""Fit the cost models' free coefficients on the placed designs and print how well they do.

    python tools/fit_costs.py

prints, for each quantity, the coefficients as they should stand in
``bnnsim/cost/blocks/coefficients.yaml``, every design with its error, and the error of the prediction
that never saw the design; then the errors as they should stand in
``bnnsim/validation/model_errors.yaml``. With ``--write`` it writes the residuals that error bars rest on
to ``bnnsim/cost/residuals.yaml``; nothing else is written.
"""

from __future__ import annotations

import sys

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.error_bars import RESIDUALS_FILE
from bnnsim.validation.blind import blind_residuals
from bnnsim.validation.certainty import fitted_errors
from bnnsim.validation.fit import FitResult, fit_all


def main() -> None:
    shipped = default_coefficients()
    for result in fit_all(shipped):
        _print_result(result, {name: shipped[name] for name in result.coefficients})
    print("\nmodel_errors.yaml\nerrors:")
    for e in fitted_errors():
        numbers = f"designs: {e.designs}, median: {e.median!r}, worst: {e.worst!r}"
        print(f"  {e.quantity}: {{{numbers}}}")


def write_residuals() -> None:
    """Store what published designs reported against their blind estimates."""
    lines = [
        f"  - {{quantity: {r.quantity}, design: {r.design}, family: {r.family}, kind: {r.kind}, "
        f"residual: {r.residual}}}"
        for r in blind_residuals()
    ]
    head = RESIDUALS_FILE.read_text(encoding="utf-8").split("residuals:")[0]
    RESIDUALS_FILE.write_text("\n".join([f"{head}residuals:", *lines, ""]), encoding="utf-8")
    print(f"stored {len(lines)} residuals in {RESIDUALS_FILE}")


def _print_result(result: FitResult, shipped: dict[str, float]) -> None:
    print(f"\n{result.quantity}")
    for name, value in result.coefficients.items():
        print(f"  {name} = {value:.4g}   (in the file: {shipped[name]:.4g})")
    print(f"  {'design':18} {'reported':>10} {'model':>10} {'error':>8} {'left out':>9} {'family':>8}")
    for p in result.predictions:
        mark = "" if p.is_calibration else "   not in the fit"
        print(
            f"  {p.design:18} {p.reported:>10g} {p.fitted:>10.4g} {p.error:>+8.1%}"
            f" {p.left_out_error:>+9.1%} {p.family_left_out_error:>+8.1%}{mark}"
        )
    worst = result.worst_left_out
    print(
        f"  median error {result.median_error:.1%}; left out: median "
        f"{result.median_left_out_error:.1%}, worst {worst.left_out_error:+.1%} ({worst.design});"
        f" family left out: median {result.median_family_left_out_error:.1%}"
    )


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        write_residuals()
    else:
        main()
