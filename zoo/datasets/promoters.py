"""promoters: promoters and other fragments of four species (Umarov & Solovyev 2017, doi:10.1371/journal.pone.0171410).

No splits were published: the project uses five fixed folds, with identical sequences in one fold.
"""

from typing import Any, NamedTuple

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences
from zoo.data.sequences.files import read_fasta_classes
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.splits import FileBySplit
from zoo.datasets.sources import files_of
from zoo.errors import UnknownNameError
from zoo.utils.download import PublicFile, fetch

__all__ = ["PROMOTER_SETS", "PromoterDataModule", "PromoterSet"]


class PromoterSet(NamedTuple):
    """One of the five sets, with the scores of the paper's convolutional network.

    Attributes:
        species: Latin name.
        promoters: name of the file with the positives.
        others: name of the file with the negatives.
        length: bases of every sequence.
        sensitivity: sensitivity of the paper's network.
        specificity: specificity of the paper's network.
        correlation: Matthews correlation coefficient of the paper's network.
    """

    species: str
    promoters: str
    others: str
    length: int
    sensitivity: float
    specificity: float
    correlation: float


PROMOTER_SETS = {
    "ecoli": PromoterSet("Escherichia coli", "Ecoli_prom.fa", "Ecoli_non_prom.fa", 81, 0.90, 0.96, 0.84),
    "bsubtilis": PromoterSet("Bacillus subtilis", "Bacillus_prom.fa", "Bacillus_non_prom.fa", 81, 0.91, 0.95, 0.86),
    "athaliana_tata": PromoterSet(
        "Arabidopsis thaliana", "Arabidopsis_tata.fa", "Arabidopsis_non_prom.fa", 251, 0.95, 0.97, 0.91
    ),
    "athaliana_nontata": PromoterSet(
        "Arabidopsis thaliana",
        "Arabidopsis_non_tata.fa",
        "Arabidopsis_non_prom_big.fa",
        251,
        0.94,
        0.94,
        0.86,
    ),
    "mouse_tata": PromoterSet("Mus musculus", "Mouse_tata.fa", "Mouse_nonprom.fa", 251, 0.97, 0.97, 0.93),
}


class PromoterDataModule(SequenceDataModule):
    """One of the five promoter sets, as five-fold cross-validation.

    Args:
        name: `ecoli`, `bsubtilis`, `athaliana_tata`, `athaliana_nontata` or `mouse_tata`.
        folds: number of folds.
        options: options of SequenceDataModule; the published tables use `split_seed` 0.

    Raises:
        UnknownNameError: no such set.
    """

    def __init__(self, name: str, folds: int = 5, **options: Any) -> None:
        if name not in PROMOTER_SETS:
            raise UnknownNameError(f"there is no promoter set {name!r}; there are {', '.join(PROMOTER_SETS)}")
        super().__init__(folds=folds, **options)
        self.set_name = name

    def spec(self) -> DataSpec:
        """Specify `promoter` as the only target, and the length of the set's sequences."""
        return DataSpec("labels", ("promoter",), PROMOTER_SETS[self.set_name].length)

    def prepare_data(self) -> None:
        """Fetch both files."""
        self._fetch()

    def read(self) -> LabelledSequences:
        """Read promoters and other fragments."""
        return read_fasta_classes(self._fetch(), self.targets)

    def _fetch(self) -> dict[str, FileBySplit]:
        promoters, others = self.public_files
        return {"promoter": str(fetch(promoters)), "other": str(fetch(others))}

    @property
    def public_files(self) -> list[PublicFile]:
        """The promoters and the other sequences."""
        chosen, files = PROMOTER_SETS[self.set_name], {file.name: file for file in files_of("promoters")}
        return [files[chosen.promoters], files[chosen.others]]

    @property
    def card_values(self) -> dict[str, str]:
        """Name and species of the set."""
        return {"name": self.set_name, "species": PROMOTER_SETS[self.set_name].species, **super().card_values}
