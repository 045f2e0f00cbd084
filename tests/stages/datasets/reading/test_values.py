from typing import Any

import pytest

from stages.datasets.reading import values


@pytest.mark.parametrize("value", [0, 0.0, "0", "0.0", False, "False", " FALSE ", None, "", "  "])
def test_a_flag_is_off_in_every_spelling_and_when_it_is_absent(value: Any) -> None:
    assert values.flag(value, "iscrowd") is False


@pytest.mark.parametrize("value", [1, 1.0, "1", True, "true", "TRUE", "1.0"])
def test_a_flag_is_on_in_every_spelling(value: Any) -> None:
    assert values.flag(value, "iscrowd") is True


@pytest.mark.parametrize("value", ["Unspecified", "yes", 2, -1, 0.5, [], {}, [1]])
def test_any_other_flag_is_refused_with_its_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r"difficult is .*: write 0 or 1, or false or true"):
        values.flag(value, "difficult")


@pytest.mark.parametrize("value", [42, 42.0, "42", " 42 "])
def test_an_id_is_the_same_as_a_number_and_as_text(value: Any) -> None:
    assert values.identifier(value, "id") == "42"


def test_a_large_id_keeps_all_its_digits() -> None:
    assert values.identifier(900100581904, "id") == "900100581904"
    assert values.identifier("0042", "id") == "0042"


@pytest.mark.parametrize("value", [None, "", " ", True, 1.5, [], {}])
def test_what_cannot_be_an_id_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="image_id is"):
        values.identifier(value, "image_id")


@pytest.mark.parametrize(("value", "number"), [(3, 3.0), ("3", 3.0), (" -1.5e1 ", -15.0), (None, None), ("", None)])
def test_a_number_is_read_from_json_and_from_text_and_null_is_absent(value: Any, number: float | None) -> None:
    assert values.optional_number(value, "xmin") == number


@pytest.mark.parametrize("value", ["x", "nan", float("inf"), "1_000", "\u0661", True, [], 10**400, "1,5"])
def test_what_is_not_a_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"xmin is .*not a"):
        values.optional_number(value, "xmin")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_name_is_neither_empty_nor_null(value: Any) -> None:
    with pytest.raises(ValueError, match="name is missing or empty"):
        values.name(value, "name")


def test_a_name_that_is_a_number_is_its_text() -> None:
    assert values.name(7, "name") == "7"
    assert values.name(" cat ", "name") == "cat"


def test_a_long_value_is_cut_in_messages() -> None:
    with pytest.raises(ValueError, match=r"xmin is '9{39}\.\.\., not a number"):
        values.optional_number("9" * 400 + "x", "xmin")


def test_several_numbers_are_read_as_each_by_itself() -> None:
    assert values.numbers(["1", " 2.5", "-3e2"], ("a", "b", "c")) == (1, 2.5, -300)
    for text in ("", "one", "1_0", "nan", "1e999", "\u0661"):
        with pytest.raises(ValueError, match=r"^b is") as alone:
            values.number(text, "b")
        with pytest.raises(ValueError, match=r"^b is") as among:
            values.numbers(["1", text], ("a", "b"))
        assert str(among.value) == str(alone.value)
