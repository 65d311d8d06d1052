"""Foreign text in sentences: quoted, short, whatever it is."""

import pytest

from devices.errors import Fault, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [("a'b\n", '"a\'b\\n"'), (b"\xff", "b'\\xff'"), (None, "None"), ("x" * 198, f"'{'x' * 198}'")],
)
def test_foreign_text_is_quoted(value: object, text: str) -> None:
    assert shown(value) == text


def test_long_text_is_cut_to_two_hundred() -> None:
    text = shown("x" * 199)
    assert (len(text), text[-2:]) == (200, "x…")


def test_what_is_nested_too_deep_to_print_is_named() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "a deeply nested list"


def test_a_fault_reads_as_place_and_sentence() -> None:
    assert str(Fault("devices[0].kind", "is wrong")) == "devices[0].kind: is wrong"
