"""What people want to know of a model before they use it, and how it was trained: one record for list, info and card.

Nothing here imports torch.
"""

from dataclasses import dataclass, field
from typing import Any

from zoo.errors import IntegrityError

__all__ = [
    "COMMON_SPECIES",
    "NOT_STATED",
    "OUTPUT_KINDS",
    "BaseFacts",
    "ModelFacts",
    "RunFacts",
    "describe_input",
    "input_names",
]

OUTPUT_KINDS = ("labels", "tracks", "contacts")
# What a card says of the licence and the source of a model whose maker did not give them.
NOT_STATED = "not stated"
COMMON_SPECIES = {
    "human": "Homo sapiens",
    "mouse": "Mus musculus",
    "fly": "Drosophila melanogaster",
    "worm": "Caenorhabditis elegans",
    "yeast": "Saccharomyces cerevisiae",
    "zebrafish": "Danio rerio",
    "chicken": "Gallus gallus",
    "arabidopsis": "Arabidopsis thaliana",
}
_COMMON = {latin: common for common, latin in COMMON_SPECIES.items()}


@dataclass(frozen=True)
class BaseFacts:
    """The model with whose weights a run began.

    Attributes:
        name: its name.
        sha256: sha256 of its weights.
        mode: what was trained of them; see `zoo.training.transfer.TransferOptions`.
        delta: bytes of the new weights, stored as what differs from these, relative to the bytes of these; None where
            the new weights are stored whole.
    """

    name: str
    sha256: str
    mode: str
    delta: float | None = None


@dataclass(frozen=True)
class RunFacts:
    """Record of a training run.

    Attributes:
        command: the command that trains it.
        recipe: hash of that command and its configuration; see `zoo.training.recipe.recipe`.
        commit: commit of the code.
        seed: seed of all random numbers.
        hardware: hardware that it was trained on.
        seconds: duration of the training.
        precision: precision of the arithmetic.
        versions: versions of Python, torch and lightning.
        data: what the splits hold, such as `train: 22,988 sequences`.
        metrics: metrics of the final model, as {split: {metric: value}}; the test split was scored once.
        target_metrics: of the test split, as {metric: one value per target, None where it is not defined}.
        base: the model with whose weights it began; None for random weights.
        files: sha256 of each file of the data, by its URL, or by its name where it is the user's own.
        intervals: 95 % intervals of the scores of the test split by bootstrap, as {metric: a pair of low and high for
            each target (T) and last for the mean, None where there is none}.
        interval_notes: sentences on intervals that are too narrow, or on why there are none.
    """

    command: str
    recipe: str
    commit: str
    seed: int
    hardware: str
    seconds: float
    precision: str
    versions: str
    data: list[str]
    metrics: dict[str, dict[str, float]]
    target_metrics: dict[str, list[float | None]] = field(default_factory=dict)
    base: BaseFacts | None = None
    files: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, list[list[float] | None]] = field(default_factory=dict)
    interval_notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ModelFacts:
    """Facts of a model, known without loading it.

    Attributes:
        name: `architecture.tag`.
        summary: one line.
        species: Latin name.
        assay: what the training data measured.
        licence: licence of the weights.
        source: `this project` for the models that are shipped with it, or who made or published the weights.
        use: what the model is meant for.
        limits: where it fails, and what it must not be used for.
        data: where the training data come from, with their reference and licence.
        metric: the headline score, such as `test AUROC 0.951`; empty where there is none.
        cell_type: cell types or tissue of the training data.
        citation: how to cite it, as BibTeX; empty where its makers have not said.
        datasets: ids of the training data on the Hugging Face Hub, `org/name`; most are not there.
        run: how it was trained; None for weights that others published.
        output: `labels`, `tracks` or `contacts`; `zoo.hub.checkpoint.save` fills it in.
        targets: names of what it predicts (T); filled in likewise.
        input: what it reads; filled in likewise.
        length: bases that it reads; 0 for a model that takes any number; filled in likewise.
    """

    name: str
    summary: str
    species: str = ""
    assay: str = ""
    licence: str = NOT_STATED
    source: str = NOT_STATED
    use: str = ""
    limits: str = ""
    data: str = ""
    metric: str = ""
    cell_type: str = ""
    citation: str = ""
    datasets: tuple[str, ...] = ()
    run: RunFacts | None = None
    output: str = ""
    targets: tuple[str, ...] = ()
    input: str = ""
    length: int = 0

    @property
    def architecture(self) -> str:
        """The part of the name before the first dot."""
        return self.name.split(".", 1)[0]

    @property
    def training(self) -> RunFacts:
        """How it was trained.

        Raises:
            IntegrityError: nothing of that is known, because others published the weights.
        """
        if self.run is None:
            raise IntegrityError(f"{self.name}: it is not known how this model was trained")
        return self.run

    @property
    def common_species(self) -> str:
        """Common name of the species, such as `human`; empty where there is none here."""
        return _COMMON.get(self.species, "")

    @property
    def texts(self) -> tuple[str, ...]:
        """The facts that a search looks through."""
        species = (self.species, self.common_species)
        other = (self.assay, self.cell_type, self.source, self.licence, self.output, self.data)
        return (self.name, self.summary, *species, *other, *self.targets)

    def mentions(self, text: str) -> bool:
        """Whether a fact, such as the name, species or a target, contains `text`, in upper or lower case."""
        return any(text.lower() in fact.lower() for fact in self.texts)


def describe_input(arguments: dict[str, Any]) -> str:
    """Describe what a model reads.

    Args:
        arguments: arguments of its constructor, as `config.json` stores them.
    """
    length = f"{arguments['length']:,} bp"
    if arguments.get("scan"):
        return f"DNA of any length; a sequence over {length} is scored in windows, and the highest score is reported"
    names = input_names(arguments)
    return f"{length} of DNA" + (f", and the tracks {', '.join(names)}" if names else "")


def input_names(arguments: dict[str, Any]) -> list[str]:
    """Names of the tracks that a model reads in addition to the sequence.

    Args:
        arguments: arguments of its constructor, as `config.json` stores them.
    """
    inputs = arguments.get("inputs") or []
    return list(inputs.get("names", ()) if isinstance(inputs, dict) else inputs)
