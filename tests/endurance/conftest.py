"""Shared by the tests of endurance: the count of faults that were tried and survived."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from made.endurance import Fault, count_survived


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Callable[[str], AbstractContextManager[Fault]]:
    """`with fault("what went wrong") as counts: counts.survived(trial, whether, reason)`."""
    return lambda title: count_survived(title, request.node.name)
