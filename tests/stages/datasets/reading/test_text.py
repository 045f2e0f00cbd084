import codecs

import pytest

from pipeline.errors import PipelineError
from stages.datasets.reading.text import decode_text, numbered_lines


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_text_is_read_in_every_encoding_that_a_byte_order_mark_names(mark: bytes, encoding: str) -> None:
    assert decode_text(mark + "Käse\n".encode(encoding), "a.txt") == "Käse\n"


def test_another_encoding_is_refused_with_line_byte_and_remedy() -> None:
    with pytest.raises(PipelineError, match=r"a\.txt, line 2: byte 0xe9 at position 6 is not UTF-8; save .* as UTF-8"):
        decode_text("un\ncaf\u00e9\n".encode("latin-1"), "a.txt")


def test_utf16_without_a_byte_order_mark_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"a\.txt, line 1: holds a NUL character"):
        decode_text("abc\n".encode("utf-16-le"), "a.txt")


def test_lines_keep_their_numbers_when_blank_ones_are_skipped() -> None:
    assert numbered_lines(b"\r\n a \r\n\n b c\n", "a.txt") == [(2, "a"), (4, "b c")]
