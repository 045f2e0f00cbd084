"""The paper's sentences that can be checked, in our own words, by experiment; their numbers are those of its tables."""

from experiments.claims.ablations import ABLATIONS
from experiments.claims.accuracy import ACCURACY
from experiments.claims.errors import ERRORS
from experiments.claims.speed import SPEED

CLAIMS = {**ABLATIONS, **ACCURACY, **ERRORS, **SPEED}

__all__ = ["CLAIMS"]
