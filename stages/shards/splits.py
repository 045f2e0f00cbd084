"""Choose the training and test splits of a user's data set where they are not named.

Tested in tests/experiments/cli/requests/test_training.py.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from stages.datasets.find import TESTING, TRAINING, DataSet
from stages.datasets.holdout import divided
from stages.datasets.source import Source
from stages.shards.shard import image_list


def pair_of_sources(
    found: DataSet, train: str = "", test: str = "", *, holdout: float = 0.0, seed: int = 0
) -> tuple[Source, Source]:
    """Images to train on and to test on: two splits, or with `holdout` one split, divided by the content of its images.

    Raises PipelineError when there is no pair of splits, and when a test split is named beside `holdout`.
    """
    if holdout:
        if test:
            raise PipelineError("--test-split names images to test on, and --holdout divides others: omit one of them")
        return divided(found.source(train or found.default_split(TRAINING)), holdout, seed)
    first, second = pair_of_splits(found, train, test)
    return found.source(first), found.source(second)


def pair_of_splits(found: DataSet, train: str = "", test: str = "") -> tuple[str, str]:
    """The first pair of default splits that share no image: trainval with test, train with val.

    Raises PipelineError when there is no pair. Two named splits are returned unchanged. When every pair shares images,
    the first one is returned: scoring refuses it later, with the number of shared images.
    """
    if train and test:
        return train, test
    tests = [test] if test else [split for split in TESTING if split in found.splits and _is_annotated(found, split)]
    trains = [train] if train else [split for split in TRAINING if split in found.splits]
    pairs = [(first, second) for second in tests for first in trains if first != second]
    if not pairs:
        raise PipelineError(_no_pair(found, trains, tests))
    return next((pair for pair in pairs if not share_images(found, *pair)), pairs[0])


def require_scorable(*sources: Source) -> None:
    """Raises PipelineError when images to score have no object that counts: their training would run for nothing."""
    if any(source.within for source in sources):
        return
    try:
        surveys = [source.survey() for source in sources]
    except PipelineError:  # the stage that reads it reports the error
        return
    if not sum(survey.objects_to_train(difficult=False) for survey in surveys):
        names = " and ".join(f"{source.name}/{source.split} ({source.root})" for source in sources)
        images = sum(len(survey.ids) for survey in surveys)
        raise PipelineError(
            f"{names} has {images} images and no object to score in any of them (difficult objects and crowds do not "
            "count): annotate objects, or name another split"
        )


def share_images(found: DataSet, first: str, second: str) -> bool:
    """Whether an image is in both splits."""
    one, other = (image_list(found.source(split)) for split in (first, second))
    return bool(one.shared(other))


def _is_annotated(found: DataSet, split: str) -> bool:
    """Whether the split has objects to score: the test lists of benchmarks often come without."""
    try:
        return bool(found.source(split).survey().objects_per_class)
    except PipelineError:  # the stage that reads it reports the error
        return True


def _no_pair(found: DataSet, trains: list[str], tests: list[str]) -> str:
    there = f"{found.name} has {'only the split' if len(found.splits) == 1 else 'the splits'} {', '.join(found.splits)}"
    lacking = " and ".join(
        f"none {what} on ({', '.join(usual)})"
        for what, usual, present in (("to train", TRAINING, trains), ("with objects to test", TESTING, tests))
        if not present
    )
    return (
        f"{there}, {lacking or 'no other to test on'}. Name two with --train-split and --test-split; "
        "if there is only one, --holdout 0.2 keeps a fifth of its images to test on"
    )
