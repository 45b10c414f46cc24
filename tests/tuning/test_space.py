"""Search spaces: what they hold, and one sentence for each mistake."""

from pathlib import Path

import pytest

from zoo.errors import ConfigError, UnknownNameError
from zoo.tuning.space import Choices, Range, read_space, size_of
from zoo.tuning.study import Study

SPACE = """
model.hidden: {choices: [[4], [16, 8], null]}
optimizer: {choices: [torch.optim.SGD, torch.optim.AdamW]}
optimizer.lr: {low: 1e-4, high: 1.0e-1, log: true}
model.dropout: {low: 0, high: 0.6, step: 0.2}
data.batch_size: {low: 8, high: 32, step: 8}
"""


def test_a_space_is_read_from_a_file_or_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(SPACE)
    parameters = read_space(str(tmp_path / "space.yaml"))
    assert parameters == [
        Choices("optimizer", ("torch.optim.SGD", "torch.optim.AdamW")),  # before what is below it
        Choices("model.hidden", ("[4]", "[16, 8]", "null")),
        Range("optimizer.lr", 1e-4, 0.1, log=True),
        Range("model.dropout", 0, 0.6, step=0.2),
        Range("data.batch_size", 8, 32, step=8, is_whole=True),
    ]
    assert read_space("{optimizer.lr: {low: 1e-4, high: 1e-1, log: true}}") == parameters[2:3]
    assert size_of(parameters) == float("inf")
    assert size_of([parameters[1], *parameters[3:]]) == 3 * 4 * 4
    assert size_of([Range("epochs", 1, 10, is_whole=True)]) == 10


def test_a_value_is_in_a_space_or_not() -> None:
    steps = Range("a", 0.0, 0.6, step=0.2)
    assert [steps.holds(value) for value in (0.0, 0.2, 0.6000000000000001, 0.3, True, None, "0.2")] == [
        *(True, True, False, False, False, False, False)
    ]
    assert Range("a", 1e-4, 1.0, log=True).holds(0.5)
    assert Choices("a", ("[4]", "null")).holds([4])
    assert Choices("a", ("[4]", "null")).holds(None)
    assert not Choices("a", ("[4]", "null")).holds([5])


def test_steps_are_written_in_decimals(tmp_path: Path) -> None:
    tenths, rates = Range("a", 0, 0.7, step=0.1), Range("b", 1e-4, 4e-4, step=1e-4)
    assert [repr(value) for value in tenths.values or ()] == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
    assert rates.values == [0.0001, 0.0002, 0.0003, 0.0004]
    assert Range("c", 8, 32, step=8, is_whole=True).values == [8, 16, 24, 32]
    study = Study(tmp_path, [tenths], "min", 0, "random")
    study.begin_with({"a": 0.1 + 0.2})
    assert study.draw().values == {"a": "0.3"}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("3", r"k.a is '3': an option to be searched has \{low"),
        ("{}", r"k.a is '\{\}': an option"),
        ("{low: 1}", "k.a has no high"),
        ("{hi: 1, low: 0}", "k.a: there is no 'hi' of a range; there are low, high, log, step, or choices"),
        ("{lr: {low: 1, high: 2}}", "k.a holds 'lr': write the option with dots, k.a.lr"),
        ("{low: 2, high: 1}", "k.a: low 2 is not below high 1"),
        ("{low: 1, high: 1}", "k.a: low 1 is not below high 1"),
        ("{low: a, high: 1}", "k.a: low is a number, not 'a'"),
        ("{low: true, high: 3}", "k.a: low is a number, not 'true'"),
        ("{low: 0, high: .inf}", "k.a: high is a number, not 'Infinity'"),
        ("{low: 0, high: 1, log: true}", "k.a: low is above 0 where log is true, not 0"),
        ("{low: 1, high: 2, log: 1}", "k.a: log is true or false, not '1'"),
        ("{low: 1, high: 2, log: true, step: 1}", "k.a has log and step: give one of them"),
        ("{low: 1, high: 2, step: 3}", "k.a: step is above 0 and at most high - low, not 3"),
        ("{low: 0, high: 0.5, step: 0.2}", "k.a: with step 0.2, the last value is 0.4, not 0.5: write high: 0.4"),
        ("{choices: []}", r"k.a: choices are a list of two or more different values, not '\[\]'"),
        ("{choices: [1, 1]}", "k.a: choices are a list of two or more"),
        ("{choices: 3}", "k.a: choices are a list of two or more"),
        ("{choices: [1, 2], low: 1}", "k.a has choices and low: give choices, or low and high"),
        ("{choices: ['', 2]}", "k.a: a choice is empty"),
    ],
)
def test_a_mistake_is_one_sentence(entry: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as error:
        read_space(f"{{k.a: {entry}}}")
    assert "\n" not in str(error.value)


def test_a_space_without_options_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"there is no file not.there.yaml: --space is a YAML file"):
        read_space("not.there.yaml")
    with pytest.raises(ConfigError, match="no option is to be searched"):
        read_space("{ }")
    with pytest.raises(ConfigError, match="not YAML of options"):
        read_space("{a")
    (tmp_path / "a.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"a.yaml, line 1: this is not YAML"):
        read_space(str(tmp_path / "a.yaml"))
