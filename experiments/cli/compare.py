"""`ssdpipe compare`: an experiment's table from what the store holds.

Tested in tests/experiments/cli/test_show.py.
"""

from __future__ import annotations

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import StorePlace


def compare(request: ExperimentRequest, place: StorePlace) -> None:
    """Print an experiment's table from the store.

    Columns: paper, ours, difference; rows without a result say so. Given only a name, the options are those of its
    last run; given nothing, it is the last run's experiment.
    """
    from experiments.cli.requests.recorded import held, meant
    from pipeline.errors import PipelineError
    from pipeline.store.store import Store
    from stages.placement import Placement

    store = Store.open(place.store)
    found = meant(request, store)
    if not isinstance(found, ExperimentRequest):
        raise PipelineError(f"the last run, `{found.command}`, has no table: name an experiment, see `ssdpipe list`")
    tables = (held(member, [member.target(Placement())], store).text() for member in found.members())
    print("\n".join(tables), end="")
