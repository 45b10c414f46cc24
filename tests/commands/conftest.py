"""Made models and files of each kind, for tests of commands."""

import pytest
from made.models import Made, make_files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))
