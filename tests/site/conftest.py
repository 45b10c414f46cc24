"""Sites that tests look at, each written once."""

from pathlib import Path

import pytest
from made.hostile_cards import HIT, make_hostile_cards
from made.sites import write_small_site


@pytest.fixture(scope="session")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, but of the shipped models only one of each look."""
    folder = tmp_path_factory.mktemp("whole") / "site"
    write_small_site(folder)
    return folder


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of models whose texts would act on its pages."""
    from zoo.site.build import build_site

    home = tmp_path_factory.mktemp("hostile")
    build_site(home / "site", make_hostile_cards(home), title=f"<script>{HIT}</script>")
    return home / "site"
