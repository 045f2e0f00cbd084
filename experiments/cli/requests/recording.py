"""What MLflow is told of a request: its experiment there, the number that comes first, and what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest

if TYPE_CHECKING:
    from experiments.cli.requests import Request
    from experiments.framework.experiment import Experiment
    from pipeline.mlflow_tracking.client import About
    from pipeline.stage import Stage

READING = (
    "Each training is a run; group by the parameter `variant` for the mean over seeds. The runs named after the "
    "experiment are invocations: they hold its table and report."
)


def about(request: Request, target: Stage) -> About:
    """The experiment of MLflow for a request that asks for `target`."""
    from pipeline.mlflow_tracking.client import About

    return About(name=request.name, primary_metric=_main_number(target), note=_note(request))


def _main_number(target: Stage) -> str:
    from experiments.framework.experiment import METRICS
    from stages.evaluation.evaluate import Evaluate
    from stages.evaluation.evaluate_coco import EvaluateCoco
    from stages.tables.table import Table

    match target:
        case Table():
            ours = next((cell.metric for cell in target.cells if cell.results), "")
            return ours or target.metric
        case EvaluateCoco():
            return METRICS["coco"]
        case Evaluate() if target.pixel_tolerance:
            return METRICS["ilsvrc"]
    return METRICS["voc"]


def _note(request: Request) -> str:
    """Markdown; empty for what is no experiment."""
    if not isinstance(request, ExperimentRequest):
        return ""
    return "\n\n".join([*(_asked(member.found()) for member in request.members()), READING])


def _asked(experiment: Experiment) -> str:
    remarks = (("Paper", experiment.found), ("Expected", experiment.expects), ("Differs", experiment.differs))
    told = [f"{title}: {remark}." for title, remark in remarks if remark]
    return " ".join([f"**{experiment.answers}: {experiment.question}**", *told])
