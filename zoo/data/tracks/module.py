"""TrackDataModule: a genome and many bigWigs, for models of `Tracks`."""

from zoo.batch import DataSpec
from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS, Split
from zoo.data.tiles import Tiles, blacklisted, tile
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.dataset import TrackData, TrackDataset
from zoo.data.tracks.table import Track, read_track_table, strand_pairs
from zoo.data.windowed import GenomeData
from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.nn.losses import Loss
from zoo.outputs import Output, Tracks
from zoo.utils.text import some_of

__all__ = ["TrackDataModule"]


class TrackDataModule(GenomeData):
    """Windows of a genome with what many bigWigs measure there.

    The bigWigs are read once, into bins that are kept in the cache (see `Coverage`); after that, training reads memory
    maps. A window is `length` bases, of which the outer `crop` bins on each side are context only.

    Args:
        genome: FASTA file.
        targets_table: TSV with a line for each bigWig (see `Track`).
        length: bases of a window.
        bin_size: bases in a bin; it divides the length, and is what the model's pools make.
        resolution: bases of the finer bins that are kept in the cache, by which training windows can be moved; it
            divides the bin size. None for the bin size itself.
        crop: bins of context on each side of those that are predicted.
        split: which contigs, or which random blocks, are for validation and test. No base is read in two splits.
        contigs: the contigs to use; None for all that every bigWig has.
        blacklist: BED files of what is left out of training and scores.
        max_masked: windows with a larger share of bins that are left out are dropped: of the blacklist, without a
            value in any target, or N in half of their bases.
        stride: bins from one window to the next in training; None for as many as a window predicts.
        shift: bases by which a training window is moved at most, to either side: sequence and targets, by multiples of
            the resolution.
        jitter: bases by which the sequence alone is moved at most, as Basenji was trained (3); 0 for none.
        reverse_complement: read each training window on one strand or the other, at random: sequence and targets,
            strand partners swapped.
        epoch_size: windows drawn in an epoch; None for all of them.
        batch_size: windows in a batch.
        num_workers: processes that read, the bigWigs at first and then windows; 0 for this one.
        seed: of order, shifts and strands.
    """

    def __init__(
        self,
        genome: str,
        targets_table: str,
        length: int,
        bin_size: int,
        crop: int = 0,
        resolution: int | None = None,
        split: SplitRules | None = None,
        contigs: list[str] | None = None,
        blacklist: list[str] | None = None,
        max_masked: float = 0.5,
        stride: int | None = None,
        shift: int = 0,
        jitter: int = 0,
        reverse_complement: bool = True,
        epoch_size: int | None = None,
        batch_size: int = 16,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        resolution = bin_size if resolution is None else resolution
        super().__init__(
            genome=genome,
            length=length,
            bin_size=bin_size,
            resolution=resolution,
            crop=crop,
            split=split,
            contigs=contigs,
            max_masked=max_masked,
            stride=stride,
            shift=shift,
            jitter=jitter,
            reverse_complement=reverse_complement,
            epoch_size=epoch_size,
            batch_size=batch_size,
            num_workers=num_workers,
            seed=seed,
        )
        self.resolution, self.targets_table, self.blacklist = resolution, targets_table, blacklist or []
        self._tracks: list[Track] | None = None
        self._found: tuple[TrackData, Tiles, list[str]] | None = None

    @property
    def tracks(self) -> list[Track]:
        """The lines of the table of targets."""
        if self._tracks is None:
            self._tracks = read_track_table(self.targets_table)
        return self._tracks

    def spec(self) -> DataSpec:
        """Specify the targets and windows, from the table of targets alone."""
        return DataSpec(
            "tracks",
            tuple(track.name for track in self.tracks),
            self.shape.length,
            bin_size=self.shape.bin_size,
            crop=self.shape.crop,
            strand_pairs=tuple(strand_pairs(self.tracks)),
        )

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """For each track what was measured, and its unit."""
        return {track.name: (track.description or track.name, track.unit) for track in self.tracks}

    @property
    def data(self) -> TrackData:
        """What windows are read from."""
        return self._find()[0]

    def check_model(self, output: Output, loss: Loss) -> None:
        """Raises: ConfigError: bins of another size, or negative values for a loss of counts."""
        if not isinstance(output, Tracks):
            raise ConfigError(f"the model predicts {output.kind}, the data are tracks")
        if output.bin_size != self.bin_size:
            raise ConfigError(f"the model's bins have {output.bin_size} bases, the data's {self.bin_size}: change one")
        if not loss.counts:
            return
        for track, fact in zip(self.tracks, self.data.coverage.facts(), strict=True):
            if min(track.scale * fact.lowest, track.scale * fact.highest) < 0:
                raise ConfigError(
                    f"the target {track.name!r} has negative values, which this loss cannot learn: a scale of -1 in "
                    f"{self.targets_table} turns round a strand that was written negative"
                )

    def prepare_data(self) -> None:
        """Bin the bigWigs; Lightning calls it in one process of each node and lets the others wait."""
        self.data.coverage.build()

    def describe(self) -> list[str]:
        """What was left out, and a line for each split."""
        lines = list(self._find()[2])
        for track, fact in zip(self.tracks, self.data.coverage.facts(), strict=True):
            if fact.missing:
                kind = "count as 0" if track.missing == "zero" else "are left out"
                share = fact.missing / sum(self.data.coverage.contigs.values())
                lines.append(f"{track.name}: {fact.missing:,} bases ({share:.1%}) have no value and {kind}")
        for split in SPLITS:
            tiles = self.dataset(split).tiles
            bins = len(tiles) * self.bins - int(tiles.again(self.bins).sum())
            lines.append(f"{split}: {len(tiles):,} windows, {bins:,} bins of {self.bin_size} bases")
        return lines

    def dataset(self, split: Split) -> TrackDataset:
        """The windows of one split; those for training are moved and turned."""
        data, tiles, report = self._find()
        chosen = tiles.subset(tiles.split == SPLITS.index(split))
        if not len(chosen):
            raise self.empty(split, tiles, report)
        return TrackDataset(data, chosen, self.shape, self.moves if split == "train" else None, self.seed)

    def _find(self) -> tuple[TrackData, Tiles, list[str]]:
        """What is read, the windows of all splits, and what was left out; found once."""
        if self._found is not None:
            return self._found
        genome, report = Genome(self.genome), []
        contigs = self.wanted(genome)
        coverage = Coverage(self.tracks, genome, contigs, self.resolution, self.needed(contigs), self.num_workers)
        if coverage.absent:
            report.append(
                f"{len(coverage.absent)} contigs left out, which some bigWig does not have: {some_of(coverage.absent)}"
            )
        usable = coverage.usable & ~blacklisted(self.blacklist, coverage.contigs, self.resolution)
        if not usable.all():
            report.append(f"{(~usable).sum() * self.resolution:,} bases masked: blacklisted, without a value, or N")
        split = GenomeSplit(coverage.contigs, self.rules)
        tiles, too_short = tile(coverage.contigs, split, self.bin_size, self.bins, self.context(), self.stride)
        if too_short:
            report.append(f"{too_short:,} bins dropped: in regions that are too short for a window")
        tiles = self.without_masked(tiles, coverage.first, usable, report)
        data = TrackData(genome, coverage, usable, self.tracks, self.strand_pairs)
        self._found = data, tiles, report
        return self._found
