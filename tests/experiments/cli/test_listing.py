"""`ssdpipe list`."""

from typer.testing import CliRunner

from experiments.ablation_layers import experiment
from experiments.cli.main import app
from experiments.framework.names import ALIASES, experiment_names


def test_every_experiment_is_listed_with_the_table_that_it_answers_and_its_question() -> None:
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 0, done.output
    *listed, aliases = done.stdout.splitlines()
    lines = {line.split()[0]: line for line in listed}
    assert list(lines) == experiment_names()
    assert experiment.answers in lines["ablation-layers"]
    assert lines["ablation-layers"].endswith(experiment.question)
    assert all(name in aliases for name in ALIASES)
