"""Bundles: an experiment's results in one archive, from which its table and verdicts are computed again."""
