"""Files of a simulated laboratory, to try fine-tuning with: a genome with the sites of a protein, and its assays.

The protein binds AP-1 sites, the weaker the more bases of a site differ. Its peaks, sequences and signal follow from
the sites; contacts across clusters of CTCF sites are fewer than within the domains between them. All is drawn with one
seed: the files are the same each time. Shapes: L bases, S sites, I insulators.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import OutputError
from zoo.formats.bigwig_writer import writing_bigwig
from zoo.genome.sequence import Codes, decode, encode, reverse_complement
from zoo.utils.atomic import whole_files
from zoo.utils.paths import check_creatable
from zoo.writers.cooler_file import Pixels, write_cooler

__all__ = ["CONTIGS", "DATA", "FILES", "write_lab_example"]

CONTIGS: Mapping[str, int] = {f"chr{number}": 400_000 for number in range(1, 9)}
FILES = ("genome.fa", "peaks.narrowPeak", "bound.fa", "signal.bw", "contacts.cool")
# Base -> the words of `zoo finetune` that name the data; as in README.
DATA: Mapping[str, str] = {
    "deepbind.encode_usf1_h1hesc": "{folder}/bound.fa",
    "basset.encode_tf": "{folder}/peaks.narrowPeak --genome {folder}/genome.fa",
    "basenji.yeast": "{folder}/signal.bw --genome {folder}/genome.fa --data.split.test '[chr8]'",
    "akita.yeast": "{folder}/contacts.cool --genome {folder}/genome.fa",
}
_GC, _LINE = 0.4, 60
# A site in each step of so many bases, each of its bases drawn anew with this chance; each that differs leaves a third.
_SITE, _STEP, _DRAWN_ANEW, _LEFT_OF_SITE = encode("ATGACTCAT"), 2_500, 0.15, 0.3
_PEAK, _SEQUENCE = 200, 101
_TRACK_BIN, _WIDTH, _HEIGHT, _BACKGROUND = 10, 60.0, 20.0, 0.05
_INSULATOR, _COPIES, _APART, _DOMAIN = encode("TGGCCACCAGGGGGCGCTA"), 8, 200, 24_000
# An insulator leaves so much of the contacts across it; a second one as much of these, and further ones no less.
_LEFT_OF_CONTACTS, _MOST_INSULATORS = 0.35, 2
_MAP_BIN, _REACH, _CONTACTS = 2_000, 100, 2_000.0


class _Contig(NamedTuple):
    """Codes (L,), the first bases of sites (S,), their strengths (S,), and the first bases of insulators (I,)."""

    codes: Codes
    sites: NDArray[np.int64]
    strengths: NDArray[np.float64]
    insulators: NDArray[np.int64]


def write_lab_example(folder: str | Path, overwrite: bool = False) -> list[Path]:
    """Write `FILES` into a folder, which is made where it does not exist: all of them or none.

    Args:
        folder: the folder.
        overwrite: write over other files of these names.

    Returns:
        The files.

    Raises:
        OutputError: another file of one of these names, or one that cannot be written.
    """
    paths = [Path(folder) / name for name in FILES]
    check_creatable(Path(folder))
    rng = np.random.default_rng(1)
    contigs = {name: _draw_contig(length, rng) for name, length in CONTIGS.items()}
    with whole_files(paths) as drafts:
        genome, peaks, bound, signal, contacts = drafts
        _write_fasta(genome, {name: contig.codes for name, contig in contigs.items()})
        _write_peaks(peaks, bound, contigs, rng)
        _write_signal(signal, paths[3], contigs, rng)
        write_cooler(contacts, CONTIGS, _MAP_BIN, _pixels(contigs, rng), {"written_by": "regzoo", "simulated": True})
        for path, draft in zip(paths, drafts, strict=True):
            if path.exists() and not overwrite and path.read_bytes() != draft.read_bytes():
                raise OutputError(f"{path} exists and is another file: name another folder, or add --overwrite")
    return paths


def _draw_contig(length: int, rng: np.random.Generator) -> _Contig:
    """Random DNA with insulators between domains, and a site in each step, on either strand."""
    share = [(1 - _GC) / 2, _GC / 2, _GC / 2, (1 - _GC) / 2]
    codes = rng.choice(4, length, p=share).astype(np.uint8)
    domains = np.arange(_DOMAIN, length - _DOMAIN, _DOMAIN)
    insulators = domains + _MAP_BIN * rng.integers(-3, 4, len(domains))
    for start in insulators.tolist():
        for copy in range(start, start + _COPIES * _APART, _APART):
            codes[copy : copy + len(_INSULATOR)] = _INSULATOR
    steps = np.arange(0, length - _STEP, _STEP)
    sites = steps + rng.integers(_PEAK, _STEP - _PEAK, len(steps))
    shape = (len(sites), len(_SITE))
    copies = np.where(rng.random(shape) < _DRAWN_ANEW, rng.integers(0, 4, shape), _SITE).astype(np.uint8)
    differ = np.minimum((copies != _SITE).sum(1), (copies != reverse_complement(_SITE)).sum(1))
    is_reverse = rng.random((len(sites), 1)) < 0.5
    codes[sites[:, None] + np.arange(len(_SITE))] = np.where(is_reverse, reverse_complement(copies), copies)
    return _Contig(codes, sites, _LEFT_OF_SITE**differ, insulators)


def _write_fasta(path: Path, records: Mapping[str, Codes]) -> None:
    with path.open("w") as file:
        for name, codes in records.items():
            letters = decode(codes)
            file.write(f">{name}\n")
            file.writelines(f"{letters[start : start + _LINE]}\n" for start in range(0, len(letters), _LINE))


def _write_peaks(peaks: Path, bound: Path, contigs: Mapping[str, _Contig], rng: np.random.Generator) -> None:
    """Peaks of the sites with at most one other base, with their summits there; and the sequences around these."""
    lines, sequences = [], {}
    for name, contig in contigs.items():
        chosen = contig.strengths >= _LEFT_OF_SITE
        summits = contig.sites[chosen] + len(_SITE) // 2
        starts = summits - _PEAK // 2 + rng.integers(-30, 31, len(summits))
        for start, summit, strength in zip(starts.tolist(), summits.tolist(), contig.strengths[chosen], strict=True):
            cells = (name, start, start + _PEAK, ".", round(1_000 * strength), ".", f"{strength:.3g}", -1, -1)
            lines.append("\t".join(map(str, (*cells, summit - start))) + "\n")
            first = (start + start + _PEAK - _SEQUENCE) // 2
            sequences[f"{name}:{first}-{first + _SEQUENCE}"] = contig.codes[first : first + _SEQUENCE]
    peaks.write_text("".join(lines))
    _write_fasta(bound, sequences)


def _write_signal(draft: Path, path: Path, contigs: Mapping[str, _Contig], rng: np.random.Generator) -> None:
    """Reads in bins: a Gaussian around each site, as high as it is strong, and a background."""
    with writing_bigwig(draft, path, CONTIGS) as writer:
        for name, contig in contigs.items():
            centres = np.arange(0, len(contig.codes), _TRACK_BIN) + _TRACK_BIN / 2
            mean = np.full(len(centres), _BACKGROUND)
            for site, strength in zip(contig.sites + len(_SITE) / 2, contig.strengths, strict=True):
                near = slice(*np.searchsorted(centres, (site - 5 * _WIDTH, site + 5 * _WIDTH)))
                mean[near] += _HEIGHT * strength * np.exp(-((centres[near] - site) ** 2) / (2 * _WIDTH**2))
            writer.add_bins(name, 0, rng.poisson(mean).astype(np.float32), _TRACK_BIN)


def _pixels(contigs: Mapping[str, _Contig], rng: np.random.Generator) -> Iterator[Pixels]:
    """Contacts that fall with the distance, and across insulators between two bins."""
    first = 0
    for contig in contigs.values():
        bins = -(-len(contig.codes) // _MAP_BIN)
        domain = np.searchsorted(contig.insulators // _MAP_BIN, np.arange(bins), side="right")
        row, column = np.triu_indices(bins)
        row, column = row[column - row < _REACH], column[column - row < _REACH]
        crossed = np.minimum(domain[column] - domain[row], _MOST_INSULATORS)
        mean = _CONTACTS / (1 + column - row) * _LEFT_OF_CONTACTS**crossed
        counts = rng.poisson(mean)
        seen = counts > 0
        yield Pixels(first + row[seen], first + column[seen], counts[seen].astype(np.float32))
        first += bins
