"""TrackDataModule: a genome and many bigWigs, for models of `Tracks`."""

from functools import cached_property
from typing import Any

from zoo.batch import DataSpec
from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import unscored
from zoo.data.tiles import blacklisted
from zoo.data.tracks.coverage import Coverage
from zoo.data.tracks.dataset import TrackData, TrackDataset
from zoo.data.tracks.table import Track, read_track_table, strand_pairs, tracks_of
from zoo.data.window_dataset import WindowShape
from zoo.data.windowed import Index, Mask, WindowDataModule
from zoo.errors import ConfigError
from zoo.nn.losses import Loss
from zoo.outputs import Output, Tracks
from zoo.utils.text import some_of

__all__ = ["TrackDataModule"]


class TrackDataModule(WindowDataModule):
    """Windows of a genome with the values of many bigWigs in them.

    The bigWigs are binned once, into the cache (`Coverage`); after that, training reads memory maps. A window has
    `length` bases, of which the outer `crop` bins on each side are context only. A bin is masked where it is
    blacklisted, without a value in any target, or N in half of its bases.

    Args:
        genome: FASTA file.
        targets_table: TSV with one line per bigWig (see `Track`).
        bigwigs: instead of the table, target -> bigWig, each read as it is: the mean over the bases of a bin. Targets
            whose names differ in their last word, such as plus and minus, are strands; see `strand_partners`.
        length: bases of a window.
        bin_size: bases per bin: it divides the length and equals the product of the model's strides and pools.
        crop: bins of context on each side of those that are predicted.
        resolution: bases of the finer bins that are stored, by which training windows can be shifted; it divides the
            bin size. None for the bin size.
        batch_size: windows per batch.
        options: options of `WindowDataModule`.

    Raises:
        ConfigError: options that do not fit each other.
    """

    def __init__(
        self,
        genome: str,
        targets_table: str | None = None,
        bigwigs: dict[str, str] | None = None,
        *,
        length: int,
        bin_size: int,
        crop: int = 0,
        resolution: int | None = None,
        batch_size: int = 16,
        **options: Any,
    ) -> None:
        shape = WindowShape.of(length, bin_size, crop, bin_size if resolution is None else resolution)
        super().__init__(genome=genome, shape=shape, batch_size=batch_size, **options)
        if (targets_table is None) == (bigwigs is None):
            raise ConfigError("name the bigWigs in a `targets_table`, or as `bigwigs: {target: file}`")
        self.targets_table, self.bigwigs = targets_table, bigwigs

    def spec(self) -> DataSpec:
        """Specify the targets, windows and input tracks, from the tables alone.

        Raises:
            InputError: a table that cannot be read, or that names a file which does not exist.
        """
        return DataSpec(
            "tracks",
            tuple(track.name for track in self.tracks),
            self.shape.length,
            bin_size=self.shape.bin_size,
            crop=self.shape.crop,
            strand_pairs=tuple(strand_pairs(self.tracks)),
            inputs=self.input_spec(),
        )

    @cached_property
    def tracks(self) -> list[Track]:
        """Lines of the table of targets, or one for each bigWig."""
        if self.targets_table is not None:
            return read_track_table(self.targets_table)
        return tracks_of(self.bigwigs or {})

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Target -> what was measured, and its unit."""
        return {track.name: (track.description or track.name, track.unit) for track in self.tracks}

    def check_model(self, output: Output, loss: Loss) -> None:
        """Check that a model fits, from tables alone; see `check_values`.

        Raises:
            ConfigError: another kind of output, or bins of another size.
        """
        if not isinstance(output, Tracks):
            raise ConfigError(f"the model predicts {output.kind}, the data are tracks")
        if output.bin_size != self.bin_size:
            raise ConfigError(f"the model's bins have {output.bin_size} bases, the data's {self.bin_size}: change one")

    def check_values(self, loss: Loss) -> None:
        """Check that a loss can learn the values; bins the bigWigs if that is not done.

        Raises:
            ConfigError: negative values, and a loss of counts.
        """
        if not loss.counts:
            return
        for track, facts in zip(self.tracks, self.coverage.facts(), strict=True):
            if min(track.scale * facts.lowest, track.scale * facts.highest) < 0:
                raise self.negative(track.name)

    def negative(self, target: str) -> ConfigError:
        """The error of a target with negative values, and a loss of counts."""
        return ConfigError(
            f"the target {target!r} has negative values, which this loss cannot learn: a scale of -1 in "
            f"{self.targets_table or 'a table of targets'} makes a strand positive that was written negative"
        )

    def describe(self) -> list[str]:
        """Describe what was left out, and each split in one line; prepares the data if that is not done."""
        self.prepare_data()
        lines, masked = list(self.plan.report), int((~self.data.observed).sum())
        if masked:
            lines.append(f"{masked * self.shape.resolution:,} bases masked: blacklisted, without a value, or N")
        lines += self.selected[1]
        for track, facts in zip(self.tracks, self.coverage.facts(), strict=True):
            if facts.missing:
                treated = "count as 0" if track.missing == "zero" else "are masked"
                fraction = facts.missing / sum(self.coverage.contigs.values())
                lines.append(f"{track.name}: {facts.missing:,} bases ({fraction:.1%}) have no value and {treated}")
        lines.append(self.rules.describe(self.shape.length))
        for split in SPLITS:
            tiles = self.tiles(split)
            bins = len(tiles) * self.bins - int(tiles.overlap(self.bins).sum())
            lack = unscored(self.variation(split), self.targets) if split != "train" else ""
            lines.append(f"{split}: {len(tiles):,} windows, {bins:,} bins of {self.bin_size} bases{lack}")
        return lines

    def dataset(self, split: Split) -> TrackDataset:
        """Windows of one split; those for training are augmented."""
        tiles, augmentation = self.tiles(split), self.augmentation if split == "train" else None
        return TrackDataset(self.data, tiles, self.shape, self.opened_inputs, augmentation, self.loading.seed)

    def common_contigs(self) -> tuple[dict[str, int], list[str]]:
        """Find the contigs that every bigWig has (`WindowDataModule.common_contigs`)."""
        absent = self.coverage.absent
        report = [f"{len(absent)} contigs left out, which some bigWig does not have: {some_of(absent)}"]
        return self.coverage.contigs, report if absent else []

    def build(self) -> None:
        """Bin the bigWigs into the cache."""
        self.coverage.build()

    def observed(self) -> tuple[Index, Mask]:
        """First stored bin of each contig, and the stored bins that count (P,)."""
        return self.coverage.first, self.data.observed

    @cached_property
    def coverage(self) -> Coverage:
        """The binned targets; opened from headers, binned at first use."""
        wanted, named = self.wanted()
        resolution, workers = self.shape.resolution, self.loading.num_workers
        return Coverage(self.tracks, self.reference, wanted, resolution, named, workers)

    @cached_property
    def data(self) -> TrackData:
        """Opened genome, coverage and masks from which windows are read."""
        plan = self.plan  # windows that fit nowhere are refused before anything is binned
        observed = self.coverage.observed & ~blacklisted(self.blacklist, plan.contigs, self.shape.resolution)
        return TrackData(self.reference, self.coverage, observed, self.tracks, strand_pairs(self.tracks))
