"""The plan of a fine-tuning, and the lines that say what was chosen and why."""

from dataclasses import dataclass, field

from zoo.hub.config import CheckpointConfig
from zoo.training.finetune.data import DataPlan
from zoo.training.finetune.network import Network
from zoo.training.finetune.settings import Settings
from zoo.training.given import Given

__all__ = ["Plan", "describe_choices"]

# What a line on the data says -> the options of `zoo train` that would make it untrue.
_OPTIONS_OF = {
    "targets": ("data.label_columns", "data.classify"),
    "not used": ("data.label_columns", "data.split_column"),
    "splits": ("data.split_column", "data.shared_kmer"),
    "negatives": ("data.fasta", "data.shuffles", "data.negative_class"),
    "length": ("data.resize", "data.rules.length"),
    "strands": ("data.bigwigs",),
    "windows": ("data.length", "data.bin_size", "data.crop"),
}


@dataclass
class Plan:
    """A configuration, and why it is as it is.

    Attributes:
        config: the whole configuration of `zoo train`; it holds the options of the data too.
        options: the other options.
        given: all options of `zoo train` that were given, with their values.
        choices: what was chosen, its value, and why.
    """

    config: Given
    options: list[str]
    given: list[tuple[str, str]]
    choices: list[tuple[str, str, str]] = field(default_factory=list)

    def choose(self, what: str, value: object, why: str, *options: str) -> None:
        """Add a line on a choice, unless one of the options of `zoo train` that it is about was given."""
        given = [option.removeprefix("--").replace(".init_args", "") for option, _ in self.given]
        if not any(f"{one}.".startswith(f"{other}.") for one in options for other in given):
            self.choices.append((what, str(value), why))


def describe_choices(
    plan: Plan,
    base: CheckpointConfig,
    data: DataPlan,
    network: Network,
    settings: Settings,
    head: str,
    count: int,
) -> None:
    """List what was chosen, in the order in which a user would look for it.

    Args:
        plan: the lines are added to it.
        base: config of the base.
        data: the data.
        network: the network.
        settings: rates, epochs and what is trained.
        head: what is taken of the base's head.
        count: training sequences or windows.
    """
    if plan.given:
        plan.choose("as given", " ".join(f"{option} {value}" for option, value in plan.given), "")
    for reason in data.reasons:
        what, _, value = reason.partition(": ")
        plan.choose(what, value, "", *_OPTIONS_OF[what])
    if not network.is_base:
        why = f"the trunk of {base.facts.name} with a head for {data.kind}"
        plan.choose("network", network.architecture, why, "model")
    heads = {
        "new": "new: the base predicts another kind",
        "layers": "new for these targets; its hidden layers are the base's",
        "copy": "the base's: it knows these targets",
    }
    plan.choose("head", head, heads[head], "transfer.head")
    _describe_settings(plan, settings, "sequences" if data.kind == "labels" else "windows", count)


def _describe_settings(plan: Plan, settings: Settings, what: str, count: int) -> None:
    plan.choose("mode", settings.mode, f"for {count:,} training {what}")
    if settings.mode == "lora":
        plan.choose("rank", settings.lora_rank, "of the factors; more data fill a higher one", "transfer.lora_rank")
    if settings.mode != "head":
        slower = f"of new layers; of the base's {settings.trunk_rate:g} times that"
        why = slower if settings.trunk_rate != 1 else "of the base's layers and of new ones"
        plan.choose("learning rate", settings.lr, why, "optimizer.lr", "transfer.trunk_rate")
        statistics = {
            "frozen": "those of the base: new ones of few data would ruin what it learnt",
            "updated": "those of the new data",
        }
        plan.choose(
            "batch statistics", settings.statistics, statistics[settings.statistics], "transfer.batch_statistics"
        )
    why = f"in batches of {settings.batch_size}; the one with the best {settings.monitor}"
    plan.choose("epochs", settings.epochs, why, "trainer.max_epochs")
