"""`zoo train --help`: every option of a run, and those of the classes of a configuration."""

from collections.abc import Sequence

from zoo.errors import ConfigError
from zoo.training.given import read_yaml
from zoo.training.options import make_cli
from zoo.training.trust import check_trust
from zoo.utils.lightning_output import quiet_lightning

__all__ = ["show_options"]


def show_options(config: str | None, options: Sequence[str] = ()) -> None:
    """Print every option of `zoo train`; with a configuration, first those of its model and data classes.

    Args:
        config: a configuration; None for none.
        options: further arguments of `zoo train`, of which `--trust true` counts.
    """
    quiet_lightning()
    if config:
        is_trusted = "--trust=true" in "=".join(options).lower()
        check_trust([config, *(["--trust", "true"] if is_trusted else [])])
        content = read_yaml(config)
        try:
            classes = {group: str(content[group]["class_path"]) for group in ("model", "data")}
        except (KeyError, TypeError) as error:
            raise ConfigError(f"{config} names no class_path of model and data: {error}") from None
        for group, class_path in classes.items():
            print(f"{class_path}, as --{group}.OPTION:")
            _show([f"--{group}.help", class_path])
    _show(["--help"])


def _show(arguments: list[str]) -> None:
    try:
        make_cli(arguments)
    except SystemExit:  # how argparse ends a help text
        print()
