"""promoters: promoters and other fragments of five genomes (Umarov & Solovyev 2017, doi:10.1371/journal.pone.0171410).

No split was published: the project uses five fixed folds, identical sequences in one fold.
"""

from typing import Any, NamedTuple

from zoo.data.sequences.module import SequenceDataModule
from zoo.datasets.sources import files_of
from zoo.errors import UnknownNameError
from zoo.utils.download import fetch

__all__ = ["PROMOTER_SETS", "PromoterDataModule", "PromoterSet"]


class PromoterSet(NamedTuple):
    """One of the five sets, with what its paper reports for it.

    Attributes:
        species: of the genome.
        promoters: file of the positives.
        others: file of the negatives.
        length: bases of every sequence.
        sensitivity: of the paper's convolutional network.
        specificity: likewise.
        correlation: likewise, Matthews'.
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
        options: of SequenceDataModule; the published tables use `split_seed` 0.
    """

    def __init__(self, name: str, folds: int = 5, **options: Any) -> None:
        if name not in PROMOTER_SETS:
            raise UnknownNameError(f"there is no promoter set {name!r}; there are {', '.join(PROMOTER_SETS)}")
        chosen = PROMOTER_SETS[name]
        files = {file.name: file for file in files_of("promoters")}
        super().__init__(
            # Fetched here: the model's input length is read from the data.
            fasta={
                "promoter": str(fetch(files[chosen.promoters])),
                "other": str(fetch(files[chosen.others])),
            },
            background="other",
            folds=folds,
            **options,
        )
        self.set_name = name

    @property
    def card_values(self) -> dict[str, str]:
        """The set's name and species."""
        return {"name": self.set_name, "species": PROMOTER_SETS[self.set_name].species, **super().card_values}
