"""Messages of errors are bounded."""

from typing import Any

import pytest
from torch._utils import ExceptionWrapper

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


def test_an_error_in_a_worker_process_of_a_dataloader_is_its_sentence_alone() -> None:
    try:
        raise InputError("values.f32 is damaged: run the same command again")
    except InputError:
        sent: Any = ExceptionWrapper(where="in DataLoader worker process 0")  # type: ignore[no-untyped-call]
    with pytest.raises(InputError) as error:
        sent.reraise()
    assert str(error.value) == "values.f32 is damaged: run the same command again"
