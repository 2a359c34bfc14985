"""Text for a terminal: values of any kind and length, in a bounded part of one line."""

from __future__ import annotations

MOST_CHARACTERS = 2000  # of a message
MOST_VALUE = 120  # characters of a value within a message


def one_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text as one line without control characters, cut in its middle where it is longer than `most`."""
    characters = len(text)
    if characters > 4 * most:  # before the work on each character
        text = text[: 2 * most] + text[-2 * most :]
    line = "".join(c if c.isprintable() else " " if c.isspace() else ascii(c)[1:-1] for c in text.strip())
    if len(line) <= most and characters <= 4 * most:
        return line
    cut = f" ... ({characters:,} characters) ... "
    head = (most - len(cut)) * 2 // 3
    return line[:head] + cut + line[-(most - len(cut) - head) :]


def shown(value: object, most: int = MOST_VALUE) -> str:
    """Return the `repr` of a value, as `one_line`."""
    try:
        return one_line(repr(value), most)
    except (ValueError, RecursionError):  # a number of more digits than Python writes; lists within lists
        return f"a {type(value).__name__} too large to show"
