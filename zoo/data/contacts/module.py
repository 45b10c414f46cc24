"""ContactDataModule: a genome and coolers, for models of `Contacts`."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo.batch import DataSpec
from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.dataset import ContactDataset
from zoo.data.contacts.expected_regions import training_regions
from zoo.data.contacts.maps import MapRules
from zoo.data.splits import SPLITS, Split
from zoo.data.target_values import unscored
from zoo.data.tiles import blacklisted
from zoo.data.window_dataset import WindowShape
from zoo.data.windowed import Index, Mask, WindowDataModule
from zoo.errors import ConfigError, InputError
from zoo.formats.cooler import CoolerFile
from zoo.nn.losses import Loss
from zoo.outputs import Contacts, Output
from zoo.utils.text import some_of

__all__ = ["ContactDataModule"]

_UNIT = "log(observed/expected)"


class ContactDataModule(WindowDataModule):
    """Windows of a genome with the logarithm of observed over expected contacts in one or several coolers.

    The coolers are prepared once, as `MapRules` says, and kept in the cache as bands along the diagonal, which training
    reads. Expected contacts at each distance are counted in the training split alone. Windows shift by whole bins.

    Args:
        genome: FASTA file.
        coolers: target -> `file.cool` or `file.mcool::resolutions/2000`; all of one resolution, which is the bin size.
        length: bases of a window.
        crop: bins of context on each side of those that are predicted.
        diagonal: first diagonal that is predicted.
        maps: how contact maps are prepared.
        arms: BED file of regions within which expected contacts are counted, such as chromosome arms; None for whole
            contigs.
        balance: balance coolers without weights, in memory.
        expected: splits in which expected contacts are counted: `train`, or `all` where nothing is trained.
        bin_size: bases per bin of the coolers, where it is known before they are there; None to read it from them.
        batch_size: windows per batch.
        options: options of `WindowDataModule`.

    Raises:
        InputError: a cooler that cannot be read.
        ConfigError: options that do not fit each other, or coolers of several resolutions.
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
        expected: Literal["train", "all"] = "train",
        bin_size: int | None = None,
        batch_size: int = 2,
        **options: Any,
    ) -> None:
        if not coolers:
            raise ConfigError("name at least one cooler, as `coolers: {target: file.mcool::resolutions/2000}`")
        self.coolers = coolers
        bin_size = self._common_bin_size() if bin_size is None else bin_size
        shape = WindowShape.of(length, bin_size, crop, bin_size)
        super().__init__(genome=genome, shape=shape, batch_size=batch_size, **options)
        if not 0 <= diagonal < self.bins:
            raise ConfigError(f"windows of {self.bins} bins have no diagonal {diagonal}")
        if expected not in ("train", "all"):
            raise ConfigError(f"expected is train or all, not {expected!r}")
        self.diagonal, self.maps, self.arms, self.balance = diagonal, maps or MapRules(), arms, balance
        self.expected = expected
        self.output = Contacts(tuple(coolers), self.bins, bin_size, crop * bin_size, diagonal)

    def spec(self) -> DataSpec:
        """Specify the targets, windows and input tracks, from the coolers' headers and the table of inputs alone.

        Raises:
            InputError: a table that cannot be read, or that names a file which does not exist.
        """
        return DataSpec(
            "contacts",
            tuple(self.coolers),
            self.shape.length,
            bin_size=self.shape.bin_size,
            crop=self.shape.crop,
            diagonal=self.diagonal,
            inputs=self.input_spec(),
        )

    @cached_property
    def files(self) -> dict[str, CoolerFile]:
        """Target -> cooler, of which the header was read; public files are fetched first."""
        self.fetch()
        return {target: CoolerFile(uri) for target, uri in self.coolers.items()}

    def _common_bin_size(self) -> int:
        sizes = {file.bin_size for file in self.files.values()}
        if len(sizes) > 1:
            listed = ", ".join(f"{file.uri} has {file.bin_size:,} bases" for file in self.files.values())
            raise ConfigError(f"the coolers have bins of several sizes: {listed}")
        return sizes.pop()

    def _other_resolutions(self) -> str:
        """List the other resolutions in the first cooler's file; empty if it does not exist yet or has one map only."""
        path = Path(next(iter(self.coolers.values())).partition("::")[0])
        resolutions = next(iter(self.files.values())).resolutions if path.is_file() else []
        return f"; {path} has {', '.join(resolutions)}" if len(resolutions) > 1 else ""

    @property
    def target_facts(self) -> dict[str, tuple[str, str]]:
        """Target -> what was measured, and its unit."""
        unit = ", ".join([_UNIT, *filter(None, [self.headline_note])])
        return dict.fromkeys(self.coolers, (f"contacts of {self.bin_size:,}-bp bins", unit))

    @property
    def headline_note(self) -> str:
        """Note on the Gaussian smoothing of the maps, with which scores rise."""
        return f"Gaussian of {self.maps.smooth:g} bins" if self.maps.smooth else ""

    def check_model(self, output: Output, loss: Loss) -> None:
        """Check that a model fits, from headers alone.

        Raises:
            ConfigError: another kind of output, bins of another size, or other pixels.
        """
        if not isinstance(output, Contacts):
            raise ConfigError(f"the model predicts {output.kind}, the data are contacts")
        if output.bin_size != self.bin_size:
            raise ConfigError(
                f"the pools of the model make bins of {output.bin_size:,} bases, the cooler's have {self.bin_size:,}: "
                f"change one{self._other_resolutions()}"
            )
        if output.shape[1:] != self.output.shape[1:] or output.diagonal != self.diagonal:
            raise ConfigError(
                f"the model predicts {output.bins} bins from diagonal {output.diagonal} on, the data have {self.bins} "
                f"from {self.diagonal} on"
            )

    def describe(self) -> list[str]:
        """Describe what was left out, the maps, and each split in one line; prepares the data if that is not done."""
        self.prepare_data()
        lines = [*self.plan.report, *self.selected[1]]
        for target, band in zip(self.coolers, self.bands, strict=True):
            masked = int((~band.observed).sum())
            invalid = band.invalid_weights
            also = f" ({invalid:,} of them have a weight that is infinite, 0 or negative)" if invalid else ""
            lines.append(
                f"{target}: {masked:,} of {band.shape[0]:,} bins masked: without a weight{also}, or blacklisted"
            )
        lines.append(
            f"maps: {_UNIT}, coarse-grained to {self.maps.least_count:g} contacts, clipped at {self.maps.clip:g}, gaps "
            f"up to {self.maps.fill} filled, Gaussian of {self.maps.smooth:g} bins"
        )
        lines.append(self.rules.describe(self.shape.length))
        for split in SPLITS:
            lack = unscored(self.variation(split), self.targets) if split != "train" else ""
            lines.append(f"{split}: {len(self.tiles(split)):,} windows of {self.bins} bins{lack}")
        return lines

    def dataset(self, split: Split) -> ContactDataset:
        """Windows of one split; those for training are augmented."""
        tiles, augmentation = self.tiles(split), self.augmentation if split == "train" else None
        options = self.opened_inputs, augmentation, self.loading.seed
        return ContactDataset(self.reference, self.bands, self.output, tiles, self.shape, *options)

    def common_contigs(self) -> tuple[dict[str, int], list[str]]:
        """Find the contigs that every cooler has (`WindowDataModule.common_contigs`)."""
        wanted, named = self.wanted()
        absent = set()
        for file in self.files.values():
            absent |= {contig for contig, name in file.match(wanted).items() if name is None}
            if lacking := [contig for contig in named if contig in absent]:
                raise InputError(
                    f"{file.uri} has no contig {lacking[0]!r}, which is wanted; it has {some_of(file.contigs)}"
                )
            if file.bin_size != self.bin_size:
                raise ConfigError(f"{file.uri} has bins of {file.bin_size:,} bases, not of {self.bin_size:,}")
            file.check_balanced(self.balance)
        report = [f"{len(absent)} contigs left out, which some cooler does not have: {some_of(sorted(absent))}"]
        contigs = {contig: length for contig, length in wanted.items() if contig not in absent}
        if not contigs:
            raise InputError(f"no contig is in every cooler; the genome has {some_of(wanted)}")
        return contigs, report if absent else []

    def build(self) -> None:
        """Prepare the maps into the cache."""
        for band in self.bands:
            band.build()

    def observed(self) -> tuple[Index, Mask]:
        """First bin of each contig, and the bins that are observed in some cooler (P,)."""
        observed: Mask = np.logical_or.reduce([band.observed for band in self.bands])
        return self.bands[0].first, observed

    @cached_property
    def bands(self) -> list[ContactBand]:
        """The prepared maps, one per target (T); opened from headers, prepared at first use."""
        contigs = self.plan.contigs
        masked = blacklisted(self.blacklist, contigs, self.bin_size)
        regions = training_regions(contigs, self.plan.genome_split, self.arms, self.bin_size, self.expected == "all")
        return [
            ContactBand(file, contigs, self.bins, self.diagonal, regions, masked, self.maps, self.balance)
            for file in self.files.values()
        ]
