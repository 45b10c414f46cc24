"""ContactDataModule: a genome and coolers, for models of `Contacts`."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.batch import DataSpec, InputSpec
from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.dataset import ContactDataset
from zoo.data.contacts.expected_regions import training_regions
from zoo.data.contacts.maps import MapRules
from zoo.data.genome_split import GenomeSplit, SplitRules
from zoo.data.splits import SPLITS, Split
from zoo.data.tiles import Tiles, blacklisted, tile
from zoo.data.tracks.inputs import InputTracks
from zoo.data.tracks.table import read_track_table, strand_pairs
from zoo.data.windowed import GenomeData
from zoo.errors import ConfigError, InputError
from zoo.formats.cooler import CoolerFile
from zoo.genome.fasta import Genome
from zoo.nn.losses import Loss
from zoo.outputs import Contacts, Output
from zoo.utils.text import some_of

__all__ = ["ContactDataModule"]

_UNIT = "log(observed/expected)"


class _Found(NamedTuple):
    """What windows are read from, the windows of all splits, and what was left out."""

    genome: Genome
    bands: list[ContactBand]
    inputs: InputTracks | None
    tiles: Tiles
    report: list[str]


class ContactDataModule(GenomeData):
    """Windows of a genome with the logarithm of observed over expected contacts in one or several coolers.

    The coolers are read once, prepared as `MapRules` says, and kept in the cache as bands along the diagonal, which
    training reads. What is expected at a distance is counted in the training split alone.

    Args:
        genome: FASTA file.
        coolers: target -> `file.cool` or `file.mcool::resolutions/2000`; all of one resolution, which is the bin.
        length: bases of a window.
        crop: bins of context on each side of those that are predicted.
        diagonal: the first diagonal that is predicted.
        maps: how maps are prepared.
        arms: BED file of regions within which contacts are expected, such as chromosome arms; None for whole contigs.
        balance: balance coolers that are not, in memory.
        inputs_table: TSV with a line for each bigWig that is read beside the sequence (see `InputTracks`).
        input_size: bases that a value of these stands for; it divides the bin. None for the bin.
        input_noise: each is scaled in each training window by a random factor whose logarithm deviates by this.
        split: which contigs, or which random blocks, are for validation and test. No base is read in two splits.
        contigs: the contigs to use; None for all that every cooler has.
        blacklist: BED files of what is left out of training and scores.
        max_masked: windows with a larger share of bins that are left out, in every target, are dropped.
        stride: bins from one window to the next in training; None for as many as a window predicts.
        shift: bases by which a training window is moved at most, to either side: sequence and map, by whole bins.
        jitter: bases by which the sequence alone is moved at most, as Akita was trained (11); 0 for none.
        reverse_complement: read each training window on one strand or the other, at random: sequence and map.
        epoch_size: windows drawn in an epoch; None for all of them.
        batch_size: windows in a batch.
        num_workers: processes that read.
        seed: of order, shifts and strands.
    """

    def __init__(
        self,
        genome: str,
        coolers: dict[str, str],
        length: int,
        crop: int = 0,
        diagonal: int = 2,
        maps: MapRules | None = None,
        arms: str | None = None,
        balance: bool = False,
        inputs_table: str | None = None,
        input_size: int | None = None,
        input_noise: float = 0.0,
        split: SplitRules | None = None,
        contigs: list[str] | None = None,
        blacklist: list[str] | None = None,
        max_masked: float = 0.5,
        stride: int | None = None,
        shift: int = 0,
        jitter: int = 0,
        reverse_complement: bool = True,
        epoch_size: int | None = None,
        batch_size: int = 2,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        if not coolers:
            raise ConfigError("name at least one cooler, as `coolers: {target: file.mcool::resolutions/2000}`")
        self.files = {target: CoolerFile(uri) for target, uri in coolers.items()}
        sizes = {file.bin_size for file in self.files.values()}
        if len(sizes) > 1:
            said = ", ".join(f"{file.uri} has {file.bin_size:,} bases" for file in self.files.values())
            raise ConfigError(f"the coolers have bins of several sizes: {said}")
        bin_size = sizes.pop()
        super().__init__(
            genome=genome,
            length=length,
            bin_size=bin_size,
            resolution=bin_size,
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
        if not input_noise >= 0:
            raise ConfigError("input_noise is a number from 0 up")
        self.moves = self.moves._replace(noise=input_noise)
        self.value_size = bin_size if input_size is None else input_size
        if self.value_size < 1 or bin_size % self.value_size:
            raise ConfigError(f"an input_size of {self.value_size} bases does not divide bins of {bin_size}")
        if not 0 <= diagonal < self.bins:
            raise ConfigError(f"windows of {self.bins} bins have no diagonal {diagonal}")
        self.diagonal, self.maps, self.balance = diagonal, maps or MapRules(), balance
        self.arms, self.blacklist, self.inputs_table = arms, blacklist or [], inputs_table
        self.output = Contacts(tuple(coolers), self.bins, bin_size, crop * bin_size, diagonal)

    def spec(self) -> DataSpec:
        """Specify the targets, windows and input tracks, from the coolers' headers and the table of inputs alone."""
        tracks = read_track_table(self.inputs_table) if self.inputs_table else []
        return DataSpec(
            "contacts",
            tuple(self.files),
            self.shape.length,
            bin_size=self.shape.bin_size,
            crop=self.shape.crop,
            diagonal=self.diagonal,
            inputs=InputSpec(tuple(track.name for track in tracks), self.value_size, tuple(strand_pairs(tracks))),
        )

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """For each target what was measured, and its unit."""
        unit = ", ".join([_UNIT, *filter(None, [self.headline_note])])
        return dict.fromkeys(self.files, (f"contacts of {self.bin_size:,}-bp bins", unit))

    @property
    def headline_note(self) -> str:
        """How the maps are smoothed: scores rise with it."""
        return f"Gaussian of {self.maps.smooth:g} bins" if self.maps.smooth else ""

    @property
    def bands(self) -> list[ContactBand]:
        """What was measured."""
        return self._found.bands

    def check_model(self, output: Output, loss: Loss) -> None:
        """Raises: ConfigError: something else is predicted, or bins of another size, or other pixels."""
        if not isinstance(output, Contacts):
            raise ConfigError(f"the model predicts {output.kind}, the data are contacts")
        if output.bin_size != self.bin_size:
            file = next(iter(self.files.values()))
            there = f"; {file.path} has {', '.join(file.resolutions)}" if len(file.resolutions) > 1 else ""
            raise ConfigError(
                f"the pools of the model make bins of {output.bin_size:,} bases, the cooler's have {self.bin_size:,}: "
                f"change one{there}"
            )
        if output.shape[1:] != self.output.shape[1:] or output.diagonal != self.diagonal:
            raise ConfigError(
                f"the model predicts {output.bins} bins from diagonal {output.diagonal} on, the data have {self.bins} "
                f"from {self.diagonal} on"
            )

    def prepare_data(self) -> None:
        """Prepare the maps; Lightning calls it in one process of each node and lets the others wait."""
        for band in self.bands:
            band.build()
        if self._found.inputs:
            self._found.inputs.coverage.build()

    def describe(self) -> list[str]:
        """What was left out, and a line for each split."""
        lines = list(self._found.report)
        for target, band in zip(self.targets, self.bands, strict=True):
            bad = int((~band.good).sum())
            lines.append(f"{target}: {bad:,} of {band.shape[0]:,} bins masked: without a weight, or blacklisted")
        lines.append(
            f"maps: {_UNIT}, coarse-grained to {self.maps.least_count:g} contacts, clipped at {self.maps.clip:g}, gaps "
            f"up to {self.maps.fill} filled, Gaussian of {self.maps.smooth:g} bins"
        )
        return lines + [f"{split}: {len(self.dataset(split).tiles):,} windows of {self.bins} bins" for split in SPLITS]

    def dataset(self, split: Split) -> ContactDataset:
        """The windows of one split; those for training are moved and turned."""
        genome, bands, inputs, tiles, report = self._found
        chosen = tiles.subset(tiles.split == SPLITS.index(split))
        if not len(chosen):
            raise self.empty(split, tiles, report)
        moves = self.moves if split == "train" else None
        return ContactDataset(genome, bands, self.output, chosen, self.shape, inputs, moves, self.seed)

    @cached_property
    def _found(self) -> _Found:
        genome, report = Genome(self.genome), []
        wanted = self.wanted(genome)
        needed, absent = self.needed(wanted), set()
        for file in self.files.values():
            absent |= {contig for contig, name in file.match(wanted).items() if name is None}
            if lacking := [contig for contig in needed if contig in absent]:
                raise InputError(
                    f"{file.uri} has no contig {lacking[0]!r}, which is wanted; it has {some_of(file.contigs)}"
                )
        contigs = {contig: length for contig, length in wanted.items() if contig not in absent}
        if absent:
            report.append(f"{len(absent)} contigs left out, which some cooler does not have: {some_of(sorted(absent))}")
        split = GenomeSplit(contigs, self.rules)
        tiles, too_short = tile(contigs, split, self.bin_size, self.bins, self.context(), self.stride)
        if too_short:
            report.append(f"{too_short:,} bins dropped: in regions that are too short for a window")
        if not len(tiles):
            raise ConfigError(
                f"windows of {self.length:,} bases are longer than every region: the longest contig has "
                f"{max(contigs.values()):,}"
            )
        bands = self._bands(contigs, split)
        good: NDArray[np.bool_] = np.logical_or.reduce([band.good for band in bands])
        tiles = self.without_masked(tiles, bands[0].first, good, report)
        inputs = None
        if self.inputs_table:
            inputs = InputTracks(self.inputs_table, genome, contigs, self.value_size, self.num_workers)
        return _Found(genome, bands, inputs, tiles, report)

    def _bands(self, contigs: dict[str, int], split: GenomeSplit) -> list[ContactBand]:
        """One of each cooler."""
        masked = blacklisted(self.blacklist, contigs, self.bin_size)
        regions = training_regions(contigs, split, self.arms, self.bin_size)
        return [
            ContactBand(file, contigs, self.bins, self.diagonal, regions, masked, self.maps, self.balance)
            for file in self.files.values()
        ]
