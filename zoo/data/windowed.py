"""DataModule of windows of a genome: what the DataModules of tracks and of contacts share."""

from collections.abc import Iterator
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from zoo.batch import Batch, InputSpec
from zoo.data.genome_split import SplitRules
from zoo.data.loading import Loading
from zoo.data.read_regions import ReadRegions
from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import blocks_at_random
from zoo.data.tiles import Tiles
from zoo.data.tracks.inputs import InputTracks
from zoo.data.tracks.table import Track, read_track_table, strand_pairs
from zoo.data.window_dataset import Augmentation, WindowDataset, WindowShape
from zoo.data.window_plan import WindowPlan, drop_masked, named_contigs, plan_windows, wanted_contigs, what_helps
from zoo.errors import ConfigError
from zoo.genome.fasta import Genome

__all__ = ["WindowDataModule"]

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


class WindowDataModule(ReadRegions):
    """Windows of a genome with targets that were measured along it. A subclass reads the targets.

    The life of one: the constructor and `spec` read headers and tables; `prepare_data` downloads and bins files into
    the cache, once; `setup` opens them. In scripts without a Trainer, both happen at first use.

    Args:
        genome: FASTA file.
        shape: geometry of the windows.
        split: which contigs, or which random blocks, are for validation and test. No base is read in two splits.
        contigs: contigs to use; None for all that every file has.
        blacklist: BED files of regions that are masked in training and scores.
        max_masked: windows with a larger fraction of masked bins are dropped.
        stride: bins from one training window to the next; None for the number of bins that a window predicts.
        shift: largest shift of a training window in bases, to either side, by multiples of the resolution: sequence,
            targets and inputs together.
        jitter: largest shift in bases of the sequence alone, in training (Basenji: 3; Akita: 11); 0 for none.
        reverse_complement: read each training window on a random strand: sequence, targets and inputs, strand partners
            swapped.
        inputs_table: TSV with one line per bigWig that a model reads in addition to the sequence (`InputTracks`).
        input_size: bases per value of these; it divides the bin size. None for the bin size.
        input_noise: in training, each input track of a window is scaled by exp(input_noise * z), z standard normal.
        loading: batch_size, epoch_size, num_workers and seed (`Loading`).

    Raises:
        ConfigError: options that do not fit each other.
    """

    train_options = frozenset({"batch_size", "epoch_size", "stride", "shift", "reverse_complement", "input_noise"})

    def __init__(
        self,
        genome: str,
        shape: WindowShape,
        split: SplitRules | None = None,
        contigs: list[str] | None = None,
        blacklist: list[str] | None = None,
        max_masked: float = 0.5,
        stride: int | None = None,
        shift: int = 0,
        jitter: int = 0,
        reverse_complement: bool = True,
        inputs_table: str | None = None,
        input_size: int | None = None,
        input_noise: float = 0.0,
        **loading: Any,
    ) -> None:
        super().__init__()
        self.loading = Loading(**loading)
        self.augmentation = Augmentation.of(shift, jitter, reverse_complement, input_noise, shape.resolution)
        if stride is not None and stride < 1:
            raise ConfigError("stride is a number from 1 up")
        if not 0 <= max_masked < 1:
            raise ConfigError("max_masked is a fraction from 0 to below 1")
        self._input_size = shape.bin_size if input_size is None else input_size
        if self._input_size < 1 or shape.bin_size % self._input_size:
            raise ConfigError(f"an input_size of {self._input_size} bases does not divide bins of {shape.bin_size}")
        self.rules = (split or SplitRules()).for_windows(shape.length)
        self.genome, self.shape, self.inputs_table = genome, shape, inputs_table
        self.contigs, self.blacklist, self.max_masked = contigs, blacklist or [], max_masked
        self.stride = shape.bins if stride is None else stride

    def dataset(self, split: Split) -> WindowDataset:
        """Windows of one split; those for training are augmented."""
        raise NotImplementedError

    def common_contigs(self) -> tuple[dict[str, int], list[str]]:
        """Find the contigs that all files have, from headers alone; see `wanted`.

        Returns:
            contig -> length of those in all files, and report lines about the others.

        Raises:
            InputError: a file that is missing, damaged, of another assembly, or without a contig that was named.
        """
        raise NotImplementedError

    def build(self) -> None:
        """Bin the targets into the cache; existing bins are kept."""
        raise NotImplementedError

    def observed(self) -> tuple[Index, Mask]:
        """First stored bin of each contig, and which stored bins count in any target (P,)."""
        raise NotImplementedError

    def fetch(self) -> None:
        """Download and build public files; nothing to do for files of the user's own."""

    @property
    def bin_size(self) -> int:
        """Bases per bin."""
        return self.shape.bin_size

    @property
    def crop(self) -> int:
        """Bins of context on each side of those that are predicted."""
        return self.shape.crop

    @property
    def bins(self) -> int:
        """Bins that a window predicts."""
        return self.shape.bins

    @property
    def batch_size(self) -> int:
        """Windows per batch."""
        return self.loading.batch_size

    @property
    def input_tracks(self) -> list[Track]:
        """Lines of the table of inputs; empty without one."""
        return read_track_table(self.inputs_table) if self.inputs_table else []

    def input_spec(self) -> InputSpec:
        """Specify the input tracks, from their table alone."""
        tracks = self.input_tracks
        return InputSpec(tuple(track.name for track in tracks), self._input_size, tuple(strand_pairs(tracks)))

    def prepare_data(self) -> None:
        """Download and bin files into the cache. Lightning calls it in one process per node; the others wait.

        Raises:
            InputError: a file that cannot be read or does not fit the genome.
            ConfigError: options that do not fit the files; found from headers, before anything is binned.
            OutputError: the cache cannot be written.
        """
        _ = self.plan  # headers are checked before anything is binned
        inputs = self.opened_inputs
        self.build()
        if inputs:
            inputs.coverage.build()

    def setup(self, stage: str | None = None) -> None:
        """Open the cached values and select the windows.

        Args:
            stage: stage of the Trainer, whose splits must not be empty; None for no such check.

        Raises:
            ConfigError: a split that is empty, or targets that cannot be learnt or scored (`check_targets`).
        """
        if stage == "fit":
            self.check_targets(["train", "val"])
        elif stage is not None:
            self.tiles("val" if stage == "validate" else "test")

    def target_blocks(self, split: Split) -> Iterator[NDArray[np.float32]]:
        """Read the targets of a split's windows, as they lie, in blocks (b, T, ...)."""
        dataset = self.dataset(split)
        for rows in blocks_at_random(len(dataset), dataset.target_values(np.zeros(1, np.int64)).size):
            yield dataset.target_values(rows)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Training windows in a new random order each epoch, without the last incomplete batch."""
        return self.loading.train(self.dataset("train"), self.next_epoch)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation windows in order, a share per process."""
        return self.loading.in_order(self.dataset("val"))

    def test_dataloader(self) -> DataLoader[Batch]:
        """Test windows in order, a share per process."""
        return self.loading.in_order(self.dataset("test"))

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Test windows in order; with several processes, the Trainer deals out the shares."""
        return self.loading.all(self.dataset("test"))

    @cached_property
    def reference(self) -> Genome:
        """The opened FASTA; public files are fetched first."""
        self.fetch()
        return Genome(self.genome)

    def wanted(self) -> tuple[dict[str, int], list[str]]:
        """Contigs to use (contig -> length), and those of them that an option names: no file may lack one."""
        wanted = wanted_contigs(self.reference.contigs, self.contigs)
        return wanted, named_contigs(wanted, self.contigs, self.rules)

    @cached_property
    def plan(self) -> WindowPlan:
        """Contigs and windows, from headers alone.

        Raises:
            InputError: a file that is missing or does not fit the genome.
            ConfigError: windows that are longer than every region.
        """
        contigs, report = self.common_contigs()
        return plan_windows(contigs, self.rules, self.shape, self.stride, self.augmentation.jitter, report)

    @cached_property
    def opened_inputs(self) -> InputTracks | None:
        """Input tracks, None without a table."""
        if not self.inputs_table:
            return None
        size, workers = self._input_size, self.loading.num_workers
        resolution = gcd(size, self.shape.resolution)  # windows begin at multiples of the shape's
        return InputTracks(self.inputs_table, self.reference, self.plan.contigs, size, workers, resolution)

    @cached_property
    def selected(self) -> tuple[Tiles, list[str]]:
        """Windows of which enough bins are observed, and a report line about the others."""
        first, observed = self.observed()
        return drop_masked(self.plan.tiles, self.shape, first, observed, self.max_masked)

    def tiles(self, split: Split) -> Tiles:
        """Windows of one split.

        Raises:
            ConfigError: there are none.
        """
        tiles, dropped = self.selected
        chosen = tiles.subset(tiles.split == SPLITS.index(split))
        if not len(chosen):
            cure = what_helps(self.plan, split, self.rules, self.shape, self.stride, self.augmentation.jitter)
            reasons = [f"the {split} split is empty: {len(tiles)} windows in all", *self.plan.report, *dropped, cure]
            raise ConfigError("; ".join(reasons))
        return chosen
