"""Messages of errors are bounded."""

import pytest

from zoo.errors import InputError


@pytest.mark.parametrize("length", [0, 1, 4_000])
def test_a_message_is_kept(length: int) -> None:
    assert str(InputError("x" * length)) == "x" * length


def test_a_message_of_a_million_letters_is_cut_in_its_middle() -> None:
    message = str(InputError("begin" + "x" * 1_000_000 + "end"))
    assert len(message) < 4_100
    assert message.startswith("beginx")
    assert message.endswith("xend")
    assert " ... (996,008 letters left out) ... " in message
