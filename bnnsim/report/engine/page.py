"""The report page of an engine: the answer, its layers in turn, its units, costs, and pictures."""

from __future__ import annotations

from html import escape

from bnnsim.design.design import EngineDesign
from bnnsim.evaluation import Evaluation
from bnnsim.report.engine.layers import engine_layers_figure, engine_layers_info, engine_sentence
from bnnsim.report.engine.memory_map import memory_map_figure
from bnnsim.report.engine.roofline import engine_roofline_figure, engine_roofline_info
from bnnsim.report.engine.spending import spending_figure
from bnnsim.report.engine.timeline import gantt_figure, gantt_info, levels_figure
from bnnsim.report.figures.activations import ActivationsInfo, activations_figure
from bnnsim.report.figures.answer import advice_html, answer_html, answer_info
from bnnsim.report.figures.costs import costs_figure
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.report.figures.document import document
from bnnsim.report.figures.figure import Figure, csv_text, exact
from bnnsim.report.figures.numbers import numbers_figure
from bnnsim.simulation import Simulation


def engine_page(
    design: EngineDesign, evaluation: Evaluation, activations: ActivationsInfo | None
) -> str:
    """The whole page; ``activations`` of a run that had bits."""
    simulation, costs = evaluation.simulation, costs_info(evaluation)
    info = engine_layers_info(simulation)
    uris = tuple(picture.uri for picture in activations.images) if activations else ()
    figures = [engine_layers_figure(info)]
    if simulation.spending is not None:
        figures.append(spending_figure(simulation.spending, simulation.clock_mhz))
        roofline = engine_roofline_info(design, simulation.spending)
        figures += [engine_roofline_figure(roofline)] if roofline.points else []
    limiting = simulation.bottleneck.limiting_units if simulation.bottleneck else ()
    gantt = gantt_info(design, limiting)
    figures.append(gantt_figure(gantt))
    figures += [levels_figure(gantt)] if gantt.levels else []
    if simulation.memory_map is not None:
        figures.append(memory_map_figure(simulation.memory_map))
    figures += [units_figure(simulation), costs_figure(costs)]
    if activations is not None:
        figures.append(activations_figure(activations))
    figures.append(numbers_figure(evaluation))
    answer = answer_info(design, simulation, costs, uris)
    limits = f"{escape(simulation.bottleneck.text)}. " if simulation.bottleneck else ""
    if simulation.spending:
        text = simulation.spending.text
        limits += f"{escape(text[:1].upper() + text[1:])}. "
    top = answer_html(answer, costs, limits + engine_sentence(info) + advice_html(evaluation.advice))
    return document(f"{simulation.arch} × {simulation.workload} – bnnsim", top, figures)


def units_figure(simulation: Simulation) -> Figure:
    """Each array's, mover's and stage's share of the run at work."""
    rows = "".join(
        f"<li><span>{escape(unit.name)}</span>"
        f'<i style="width:{100 * unit.busy_cycles / simulation.cycles_total:.2f}%"></i>'
        f'<span class="amount">{exact(unit.busy_cycles)} '
        f"({unit.busy_cycles / simulation.cycles_total:.0%})</span></li>"
        for unit in simulation.units
    )
    header = ("unit", "kind", "busy_cycles", "stalled_on_input_cycles", "idle_cycles")
    csv = csv_text(
        header,
        [
            (u.name, u.kind, u.busy_cycles, u.stalled_on_input_cycles, u.idle_cycles)
            for u in simulation.units
        ],
    )
    note = f"Cycles at work, of the run's {exact(simulation.cycles_total)}."
    return Figure("units", "Units at work [cycles]", note, f'<ul class="bars">{rows}</ul>', csv)
