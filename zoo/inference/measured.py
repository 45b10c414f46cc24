"""Measured values of a region, in the bins and units of a prediction, to draw next to it.

Shapes: P bins of a region.
"""

import numpy as np
from numpy.typing import NDArray

from zoo.data.contacts.bands import ContactBand
from zoo.data.contacts.expected_regions import Region
from zoo.data.contacts.maps import MapRules
from zoo.data.contacts.maps import smooth as smooth_map
from zoo.data.tracks.table import Track, Transform, read_track_table
from zoo.errors import ConfigError, InputError
from zoo.formats.bed import iterate_bed
from zoo.formats.bigwig import BigWig, match_bigwig
from zoo.formats.cooler import CoolerFile
from zoo.formats.kinds import file_kind
from zoo.genome.contigs import find_contigs
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.utils.text import some_of
from zoo.writers.contacts import COUNT_SCALE, LOG_SCALE, ContactRows, dense_maps
from zoo.writers.tracks import TrackSegment

__all__ = ["features_in", "measured_contacts", "measured_tracks", "transform_of"]

_FIRST_DIAGONAL = 2


def measured_tracks(
    table: str, segment: TrackSegment, genome: Genome, targets: list[str]
) -> dict[str, NDArray[np.float32]]:
    """Read what bigWigs hold in the bins of a segment, transformed as models learn it.

    Args:
        table: table of targets (`zoo.data.tracks.table.Track`); or the bigWig of the only target.
        segment: whose bins are read.
        genome: genome of the segment.
        targets: read these, where the table has them.

    Returns:
        target -> values (P,).

    Raises:
        InputError: a table with none of the targets, or a bigWig that cannot be read or is of another assembly.
        ConfigError: one bigWig for several targets, or a file of another kind.
    """
    measured = {}
    end = min(segment.end, genome.contigs[segment.contig])
    for track in _tracks_in(table, targets):
        if track.name in targets:
            name = match_bigwig(track.path, genome.contigs, [segment.contig])[segment.contig]
            with BigWig(track.path) as file:
                bounds = str(name), segment.start, end, segment.bin_size
                values = np.concatenate([part for part, _ in file.bins(*bounds, track.statistic, track.missing)])
            # (P,) -> (1 target, 1 window, P), as a table of targets is transformed, and back
            measured[track.name] = Transform([track])(values[None, None])[0, 0]
    if not measured:
        raise InputError(f"{table}: none of its targets is drawn; the model's are {some_of(targets, 12)}")
    return measured


def _tracks_in(file: str, targets: list[str]) -> list[Track]:
    """The tracks of a table, or of a bigWig, which is that of the only target."""
    kind = file_kind(file)
    if kind in ("fasta", "peaks", "cooler"):
        raise ConfigError(f"{file} holds no tracks: name a bigWig, or a table of bigWigs (name, path), for this model")
    if kind != "bigwig":
        return read_track_table(file)
    if len(targets) != 1:
        raise ConfigError(
            f"{file} is one bigWig, and {len(targets)} targets are drawn: choose its own with --targets, or name "
            "bigWigs in a table (name, path)"
        )
    return [Track(targets[0], file)]


def transform_of(table: str, targets: list[str]) -> Transform:
    """The transform that a table of targets names for these targets, in this order.

    Raises:
        InputError: a table that cannot be read, or that lacks one of the targets.
    """
    tracks = {track.name: track for track in read_track_table(table)}
    for target in targets:
        if target not in tracks:
            raise InputError(f"{table} has no target {target!r}, which is predicted: choose others with --targets")
    return Transform([tracks[target] for target in targets])


def measured_contacts(
    uri: str, smooth: float, genome: Genome, contig: str, bin_size: int, first: int, bins: int
) -> NDArray[np.float32]:
    """Read contacts of a cooler as log(observed/expected) within their contig, in the bins of a predicted map.

    Args:
        uri: path of a balanced `.cool`, or of one map of an `.mcool` (`file.mcool::resolutions/2000`); or of a
            prediction (`zoo.writers.contacts.write_coolers`), which its metadata tell.
        smooth: standard deviation of a Gaussian filter, in bins; 0 for none.
        genome: genome of the prediction.
        contig: as the genome names it.
        bin_size: bases of a bin.
        first: the first bin.
        bins: how many (P).

    Returns:
        A symmetric map (P, P), NaN where nothing was measured.

    Raises:
        InputError: a file of other bins or another assembly, or without the contig.
        ConfigError: a file of another kind.
    """
    if file_kind(uri) not in ("cooler", None):
        raise ConfigError(f"{uri} holds no contacts: name a .cool, or a map of an .mcool, for this model")
    file, rules = CoolerFile(uri), MapRules(smooth=smooth)
    if file.bin_size != bin_size:
        raise InputError(
            f"{uri} has bins of {file.bin_size:,} bases, the model's have {bin_size:,}; there are "
            f"{', '.join(file.resolutions)}"
        )
    name = file.match(genome.contigs)[contig]
    if name is None:
        raise InputError(f"{uri} has no contig {contig!r}; it has {some_of(file.contigs)}")
    length = genome.contigs[contig]
    whole = Region(name, 0, -(-length // bin_size))
    if scale := _scale_written(file):
        return _written_map(file, name, scale, rules, first, bins)
    unmasked = np.zeros(whole.end, bool)
    band = ContactBand(file, {name: length}, bins, _FIRST_DIAGONAL, [whole], unmasked, rules, False)
    rows = ContactRows(contig, first, bin_size, band.values[first : first + bins][None])
    (maps,) = dense_maps([rows]).values()
    only: NDArray[np.float32] = maps[0]
    return only


def _scale_written(file: CoolerFile) -> str:
    """The scale of a cooler that `zoo.writers.contacts` wrote; empty for one of measured contacts."""
    import cooler

    metadata = cooler.Cooler(f"{file.path}::{file.group}").info.get("metadata")
    scale = metadata.get("scale") if isinstance(metadata, dict) else None
    return scale if scale in (LOG_SCALE, COUNT_SCALE) else ""


def _written_map(
    file: CoolerFile, name: str, scale: str, rules: MapRules, first: int, bins: int
) -> NDArray[np.float32]:
    """Read a predicted map (P, P) as log(observed/expected): as it was written, or from contacts at each distance."""
    import cooler

    low, last = file.first[name], file.bins[name]
    chosen = slice(low + first, low + min(first + bins, last))
    pixels = cooler.Cooler(f"{file.path}::{file.group}").matrix(balance=False, sparse=True)[chosen, chosen].tocoo()
    values = np.full((bins, bins), np.nan)
    values[pixels.row, pixels.col] = pixels.data
    if scale == COUNT_SCALE:
        count, total = np.zeros(bins), np.zeros(bins)
        for _, distance, contacts in file.pixels(name, 0, last, bins):
            count += np.bincount(distance, minlength=bins)
            total += np.bincount(distance, contacts, bins)
        expected = np.divide(total, count, out=np.full(bins, np.nan), where=count > 0)
        values = np.log(values / expected[np.abs(np.subtract.outer(np.arange(bins), np.arange(bins)))])
    only: NDArray[np.float32] = (smooth_map(values, rules.smooth) if rules.smooth else values).astype(np.float32)
    return only


def features_in(path: str, genome: Genome, region: Interval) -> list[Interval]:
    """The intervals of a BED file that overlap a region of a genome."""
    inside = [interval for interval in iterate_bed(path) if interval.start < region.end and region.start < interval.end]
    names = find_contigs({interval.chrom for interval in inside}, genome.contigs)
    return [interval for interval in inside if names[interval.chrom] == genome.contig(region.chrom)]
