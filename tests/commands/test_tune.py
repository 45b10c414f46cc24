"""`zoo tune` on the command line: what is refused before anything heavy is imported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.commands.tune import _seconds
from zoo.errors import ConfigError
from zoo.utils import extras

Run = Callable[..., tuple[int, str, str]]


def test_a_time_has_a_unit() -> None:
    assert [_seconds(text) for text in (None, "45", "30s", "90m", "1.5h", "2d")] == [
        None,
        45,
        30,
        5_400,
        5_400,
        172_800,
    ]
    for text in ("", "h", "0m", "-1h", "3 h", "1w"):
        with pytest.raises(ConfigError, match="such as 90m or 12h"):
            _seconds(text)


def test_what_is_missing_is_one_sentence(run_zoo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run_zoo("tune", "deepbind.sequences")
    assert (code, err.count("\n")) == (2, 1)
    assert "--space" in err
    code, _, err = run_zoo("tune", "deepbind.sequences", "--space", "{}", "--pruner", "no")
    assert code == 2
    assert "median" in err
    monkeypatch.setitem(extras.EXTRAS, "tune", ("no_such_module",))
    code, _, err = run_zoo("tune", "deepbind.sequences", "--space", "{}")
    assert (code, err) == (2, "zoo: a search needs no_such_module: pip install 'regzoo[tune]'\n")


def test_a_configuration_or_space_that_is_not_there_is_one_sentence(run_zoo: Run, tmp_path: Path) -> None:
    for words, sentence in (
        (["nothing.here", "--space", "{}"], "nothing.here"),
        (["deepbind.sequences", "--space", "not.yaml"], "there is no file not.yaml"),
        (["deepbind.sequences", "--space", "{}", "--optimizer.lr"], "--optimizer.lr has no value"),
    ):
        code, out, err = run_zoo("tune", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert sentence in err
