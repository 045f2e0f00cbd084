"""Which splits of a data set of the user's are trained and tested on where they are not named.

Tested in tests/experiments/cli/requests/test_training.py.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from stages.datasets.find import TESTING, TRAINING, DataSet
from stages.shards.shard import image_list


def pair_of_splits(found: DataSet, train: str = "", test: str = "") -> tuple[str, str]:
    """The first usual two that share no image: trainval beside test, train beside val.

    PipelineError where there are no two. Two that are named are taken as they are, and so are two that share images
    where there are no others: who scores them refuses that, with the number.
    """
    if train and test:
        return train, test
    tests = [test] if test else [split for split in TESTING if split in found.splits and _is_annotated(found, split)]
    trains = [train] if train else [split for split in TRAINING if split in found.splits]
    pairs = [(first, second) for second in tests for first in trains if first != second]
    if not pairs:
        raise PipelineError(_no_pair(found, trains, tests))
    return next((pair for pair in pairs if not _share_images(found, *pair)), pairs[0])


def _share_images(found: DataSet, first: str, second: str) -> bool:
    one, other = (image_list(found.source(split)) for split in (first, second))
    return bool(one.shared(other))


def _is_annotated(found: DataSet, split: str) -> bool:
    """Whether there is anything to score: the test lists of benchmarks often come without objects."""
    try:
        return bool(found.source(split).survey().objects_per_class)
    except PipelineError:  # who reads it says what is wrong
        return True


def _no_pair(found: DataSet, trains: list[str], tests: list[str]) -> str:
    there = f"{found.name} has {'only the split' if len(found.splits) == 1 else 'the splits'} {', '.join(found.splits)}"
    lacking = " and ".join(
        f"none {what} on ({', '.join(usual)})"
        for what, usual, present in (("to train", TRAINING, trains), ("with objects to test", TESTING, tests))
        if not present
    )
    return (
        f"{there}, {lacking or 'none to test on beside it'}. Name two with --train-split and --test-split; "
        "where there is one alone, list some of its images in a split of their own, and the others in another"
    )
