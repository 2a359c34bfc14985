"""Text of users is one bounded line in every message."""

from hypothesis import example, given
from hypothesis import strategies as st

from common.text import one_line, shown


def test_a_short_line_stays_as_it_is():
    assert one_line("a  b: स्वर 'é' [*?]") == "a  b: स्वर 'é' [*?]"


def test_line_breaks_and_control_characters_cannot_forge_lines_or_move_a_cursor():
    assert one_line("a\nerror: b\x1b[2J\r\x07\u2028c\udcff\n") == "a error: b\\x1b[2J \\x07 c\\udcff"


def test_a_long_text_is_cut_in_its_middle_and_its_length_stated():
    line = one_line("a" * 10**6 + "z", 100)
    assert len(line) == 100
    assert line.startswith("aaa")
    assert line.endswith("aaz")
    assert "(1,000,001 characters)" in line


@example("\udcff" * 300)
@given(st.text(max_size=600))
def test_every_text_becomes_one_line_within_bounds(text: str):
    line = one_line(text, 100)
    assert len(line) <= 100
    assert line.isprintable()


def test_values_that_python_does_not_write_are_shown():
    nested: list[object] = []
    for _ in range(10_000):
        nested = [nested]
    assert shown(16**5000) == "a int too large to show"
    assert shown(nested) == "a list too large to show"
    assert shown("x" * 500, 60).startswith("'xxx")
