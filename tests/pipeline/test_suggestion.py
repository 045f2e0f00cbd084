"""The end of a sentence about a name that does not exist."""

from __future__ import annotations

import pytest

from pipeline.suggestion import suggestion


@pytest.mark.parametrize(
    ("wrong", "there", "sentence"),
    [
        ("trian", ["val", "train"], "did you mean 'train'? There are: train, val"),
        ("dog", ["train", "val"], "there are: train, val"),
        ("DOG", ["cat", "Dog"], "did you mean 'Dog'? There are: Dog, cat"),
        ("trian", ["train"], "there is only train"),
        ("train", [], "there are none"),
        ("train", ["val", "val", "test"], "there are: test, val"),
        (
            "name7x",
            [f"name{number:02}" for number in range(80)],
            "did you mean 'name79', 'name78', 'name77', 'name76' or 'name75'? There are 80",
        ),
        (
            "dog",
            [f"name{number:02}" for number in range(22)],
            "there are: name00, name01, name02, name03, name04 and 17 more",
        ),
        (
            "layers",
            ["ablation-layers", *(f"name{number:02}" for number in range(22))],
            "did you mean 'ablation-layers'? There are 23",
        ),
    ],
)
def test_a_sentence_is_well_formed_with_and_without_a_near_miss(wrong, there, sentence):
    assert suggestion(wrong, there) == sentence
