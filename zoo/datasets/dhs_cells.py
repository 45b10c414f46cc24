"""dhs_cells: 47,872 DNase hypersensitive sites of 200 bp (human, hg38), each open in one of four cell lines.

Sites of the index of Meuleman 2020 (doi:10.1038/s41586-020-2559-3), as prepared for DNA-Diffusion (DaSilva 2024,
doi:10.1101/2024.02.01.578352): chromosome 2 is for validation, chromosome 1 for the test.
"""

from typing import Any

from zoo.batch import DataSpec
from zoo.data.labelled import LabelledSequences, SequenceDataset
from zoo.data.sequences.files import Columns, read_tables
from zoo.data.sequences.module import SequenceDataModule
from zoo.data.splits import Split
from zoo.datasets.sources import files_of
from zoo.errors import IntegrityError
from zoo.genome.sequence import Codes
from zoo.utils.download import PublicFile, fetch
from zoo.utils.progress import spinner

__all__ = ["CELLS", "DhsCellsDataModule"]

# Cell line -> its column in the file.
CELLS = {
    "GM12878": "GM12878_ENCLB441ZZZ",
    "hESC": "hESCT0_ENCLB449ZZZ",
    "K562": "K562_ENCLB843GMH",
    "HepG2": "HepG2_ENCLB029COU",
}
_DESCRIPTIONS = {
    "GM12878": "DNase-seq in GM12878 (lymphoblastoid cells)",
    "hESC": "DNase-seq in H9 (embryonic stem cells), day 0",
    "K562": "DNase-seq in K562 (chronic myeloid leukaemia)",
    "HepG2": "DNase-seq in HepG2 (hepatocellular carcinoma)",
}
_LENGTH = 200


class DhsCellsDataModule(SequenceDataModule):
    """The sites, each open in one of four cell lines; `shuffles` adds negatives to training alone.

    The published splits are by chromosome: 2 for validation, 1 for the test. Both are scored on their sites alone, so
    that a score tells cell lines apart, whatever the negatives of training were.

    Args:
        options: options of SequenceDataModule.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def spec(self) -> DataSpec:
        """Specify the four cell lines as targets, and sequences of 200 bases."""
        return DataSpec("labels", tuple(CELLS), _LENGTH)

    @property
    def public_files(self) -> list[PublicFile]:
        """The table of sites."""
        return files_of("dhs_cells")

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Cell line of each target."""
        return {cell: (_DESCRIPTIONS[cell], "probability") for cell in CELLS}

    def prepare_data(self) -> None:
        """Fetch the table; Lightning calls it on rank 0."""
        fetch(self.public_files[0])

    def read(self) -> LabelledSequences:
        """Read the sites with their published splits.

        Raises:
            IntegrityError: a site that is open in none of the cell lines, or in several.
        """
        path = fetch(self.public_files[0])
        with spinner(f"reading {path}"):
            data = read_tables([(str(path), -1)], Columns("sequence", list(CELLS.values()), "data_label"))
        if not (data.labels.sum(1) == 1).all():
            raise IntegrityError(f"{path}: each site is to be open in exactly one of {', '.join(CELLS)}")
        return data

    def dataset(self, split: Split) -> SequenceDataset[Codes]:
        """Create the dataset of one split: in validation and test, the sites alone."""
        dataset = super().dataset(split)
        if split != "train":
            dataset.shuffles = 0
        return dataset
