"""A design judged: what it costs, how fast it is, in one record."""

from bnnsim.evaluation.advice.advise import with_advice as with_advice
from bnnsim.evaluation.advice.record import Advice as Advice
from bnnsim.evaluation.advice.record import AdviceReport as AdviceReport
from bnnsim.evaluation.figures import DesignFigures as DesignFigures
from bnnsim.evaluation.figures import figures_of as figures_of
from bnnsim.evaluation.record import OPERATIONS_PER_MAC as OPERATIONS_PER_MAC
from bnnsim.evaluation.record import POWER_BASIS as POWER_BASIS
from bnnsim.evaluation.record import Evaluation as Evaluation
from bnnsim.evaluation.record import Violation as Violation
from bnnsim.evaluation.run import assess as assess
from bnnsim.evaluation.run import evaluate as evaluate
from bnnsim.evaluation.run import evaluate_design as evaluate_design
