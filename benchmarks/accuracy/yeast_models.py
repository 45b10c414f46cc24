"""Effects of yeast promoter variants that models predict: of a variant in its oligo, or at its place in the genome.

Shapes: V variants, K k-mers.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from accuracy.kmers import count_kmers
from common import WORK, model_folder, run_facts
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from zoo.data.splits import SPLITS, Split
from zoo.datasets.sources import files_of
from zoo.datasets.yeast_genome import TEST, VAL, write_genome
from zoo.datasets.yeast_reporter import YeastReporterDataModule, end_aligned
from zoo.datasets.yeast_variants import LIBRARIES, PromoterVariants
from zoo.formats.alleles import Variant
from zoo.genome.fasta import Genome
from zoo.hub.folder import WEIGHTS
from zoo.hub.load import load, resolve
from zoo.hub.loading import load_folder
from zoo.inference.labels import predict_codes
from zoo.models._base import SequenceModel
from zoo.nn.losses import means_and_differences
from zoo.utils.cache import cached_arrays
from zoo.utils.download import sha256_of
from zoo.variants.scorer import VariantOptions, VariantScorer
from zoo.variants.scores import Outputs, Scores
from zoo.variants.sources import GenomeSource
from zoo.variants.tracks import TrackScores

__all__ = ["FOLDS", "REPORTER", "TRACKS", "kmer_effects", "reporter_effects", "track_effects"]

REPORTER, TRACKS = "basset.yeast_reporter", "basenji.yeast"
# Contigs that are held out together; the last are those of the shipped checkpoint.
FOLDS: tuple[tuple[str, ...], ...] = (
    ("chrIV", "chrI"),
    ("chrXII", "chrVI"),
    ("chrVII", "chrIII"),
    ("chrXV", "chrVIII"),
    ("chrII", "chrX"),
    ("chrXVI", "chrV"),
    ("chrXIII", "chrXI"),
    tuple(TEST),
)
# Bases on either side of a variant in which bins count.
DISTANCES = (32, 128, 512)
_STARTS = ("slic_cage", "nanocage", "stripe_ypd", "stripe_diamide")
_SHIFTS = (-32, -16, 0, 16, 32)
_K = 6
# Penalties of the regression; the one that predicts best the expression from the validation oligos is taken.
_PENALTIES = (300.0, 1000.0, 3000.0)

Numbers = NDArray[np.float64]


def held_out(fold: Sequence[str]) -> tuple[list[str], list[str]]:
    """Contigs of validation and test for a fold; chrX validates where chrXI is tested."""
    return ["chrX"] if set(VAL) & set(fold) else VAL, list(fold)


def reporter_folder(fold: Sequence[str]) -> Path:
    """Folder of the reporter model that never saw a fold: the shipped one, or one that is trained if it is missing."""
    val, test = (f"[{','.join(contigs)}]" for contigs in held_out(fold))
    options = [] if fold == FOLDS[-1] else ["--data.val_contigs", val, "--data.test_contigs", test]
    return model_folder(REPORTER, [REPORTER, *options], WORK / "yeast_variants", f"{REPORTER}.{'_'.join(fold)}")


def reporter_effects(variants: PromoterVariants) -> tuple[Numbers, dict[str, object]]:
    """Effects by the reporter model of each variant's fold (V,), and the facts of the training runs.

    The effect is the expression from the oligo with the other allele minus that from the one with the reference, of the
    target of the oligo's library.
    """
    effects, facts = np.full(len(variants.names), np.nan), dict[str, object]()
    pair = [end_aligned(oligos) for oligos in (variants.reference_oligo, variants.alternative_oligo)]
    for fold in FOLDS:
        folder = reporter_folder(fold)
        facts[f"{REPORTER} without {', '.join(fold)}"] = run_facts(folder)
        rows = np.flatnonzero(np.isin(variants.contig, fold))
        model = load_folder(folder)
        reference, alternative = (_predict(model, codes[rows]) for codes in pair)
        effects[rows] = (alternative - reference)[np.arange(len(rows)), variants.library[rows]]
    return effects, facts


def _predict(model: SequenceModel, codes: NDArray[np.uint8]) -> Numbers:
    """Predict expression (V, 2)."""
    return np.asarray(predict_codes(model, list(codes), [""] * len(codes)), np.float64)


def kmer_effects(variants: PromoterVariants) -> Numbers:
    """Effects by a ridge regression on counts of 6-mers of the oligos, by the same folds (V,).

    It learns as the reporter model does: means of both alleles and differences, weighted alike; each library by itself.
    """
    effects = np.full(len(variants.names), np.nan)
    for fold in track(FOLDS, description="6-mers"):
        data = YeastReporterDataModule(*held_out(fold))
        for library in range(len(LIBRARIES)):
            train, val, test = (_pairs_of(data, split, library) for split in SPLITS)
            best = min(_fit_ridge(*train), key=partial(_error, *val))
            rows = np.flatnonzero(np.isin(variants.contig, fold) & (variants.library == library))
            effects[rows] = test[0][len(rows) :] @ best / np.sqrt(data.difference_weight)
    return effects


def _pairs_of(data: YeastReporterDataModule, split: Split, library: int) -> tuple[Numbers, Numbers]:
    """Means, then weighted differences, of counts (2 V, K + 1), the last of them 1, and of expression (2 V,)."""
    rows = data.subset(split)
    chosen = ~np.isnan(rows.labels[:, library])
    counts = np.pad(count_kmers(rows.codes[chosen], _K), ((0, 0), (0, 1)), constant_values=1)
    weight = torch.tensor(data.difference_weight)
    values = (torch.from_numpy(each) for each in (counts, rows.labels[chosen, library]))
    features, target = (means_and_differences(each, weight).double().numpy() for each in values)
    return features, target


def _fit_ridge(features: Numbers, target: Numbers) -> list[Numbers]:
    """Fit weights (K + 1,) with each of the penalties; the last, of the constant, is not penalized."""
    penalized = np.eye(features.shape[1])
    penalized[-1] = 0
    gram, moments = features.T @ features, features.T @ target
    return [np.asarray(np.linalg.solve(gram + penalty * penalized, moments), np.float64) for penalty in _PENALTIES]


def _error(features: Numbers, target: Numbers, weights: Numbers) -> float:
    """Mean squared error of a regression."""
    return float(np.square(features @ weights - target).mean())


def track_effects(variants: PromoterVariants) -> dict[str, Numbers]:
    """Effects by basenji.yeast in the genome, of each output and distance: description -> (V,), NaN of indels.

    Windows of both alleles, five shifts, both strands; the log2 ratio of sums over the bins within a distance. Starts
    are those on the gene's strand, the mean over four assays. Takes some ten minutes, once: they are kept in the cache.
    """
    weights = sha256_of(resolve(TRACKS) / WEIGHTS)
    key = [weights, [file.sha256 for file in files_of("yeast_variants")], _SHIFTS, DISTANCES]
    return cached_arrays("yeast_track_effects", key, lambda: _compute_track_effects(variants))


def _compute_track_effects(variants: PromoterVariants) -> dict[str, Numbers]:
    model = load(TRACKS)
    scorer = VariantScorer(model, VariantOptions(shifts=_SHIFTS, both_strands=True))
    scorer.scores = _Distances(model)
    rows = np.flatnonzero(variants.is_snv)
    columns = [column[rows].tolist() for column in (variants.contig, variants.position + 1)]
    alleles = [column[rows].tolist() for column in (variants.reference, variants.alternative)]
    snvs = list(zip(*columns, *alleles, strict=True))
    distinct = list(dict.fromkeys(snvs))
    listed = [Variant(i, contig, at, "", *pair) for i, (contig, at, *pair) in enumerate(distinct, 1)]
    with TemporaryDirectory() as folder:
        write_genome(Path(folder) / "genome.fa")
        source = GenomeSource(iter(listed), Genome(Path(folder) / "genome.fa"))
        values = np.concatenate([block.values for block in scorer.stream(source)])  # (distinct, distances, T)
    number = {snv: index for index, snv in enumerate(distinct)}
    values = values[[number[snv] for snv in snvs]]
    targets = list(model.output.targets)
    starts = [
        values[:, :, [targets.index(f"{assay}_{strand}") for assay in _STARTS]].mean(2) for strand in ("plus", "minus")
    ]
    scored = {
        "starts": np.where(variants.minus[rows, None], starts[1], starts[0]),
        "nucleosomes": values[:, :, targets.index("mnase")],
    }
    effects = {}
    for output, ratios in scored.items():
        for index, distance in enumerate(DISTANCES):
            effects[f"{output} within {distance} bp"] = every = np.full(len(variants.names), np.nan)
            every[rows] = ratios[:, index]
    return effects


class _Distances(Scores):
    """The log2 ratio of tracks within each of several distances, as `zoo.variants` computes one."""

    def __init__(self, model: SequenceModel) -> None:
        self.model = model
        self.each = [TrackScores(model, ["log2_ratio"], distance) for distance in DISTANCES]
        self.names = [f"log2_ratio_{distance}" for distance in DISTANCES]

    def compute(self, reference: Outputs, alternative: Outputs, centre: Tensor) -> Tensor:
        """Compute the ratios (B, distances, T)."""
        return torch.cat([one.compute(reference, alternative, centre) for one in self.each], 1)
