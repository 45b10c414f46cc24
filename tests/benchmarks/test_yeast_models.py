"""What models predict of yeast variants: each contig is held out once; effects are those of `zoo.score_variants`."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from accuracy import yeast_models
from accuracy.yeast_models import DISTANCES, FOLDS, held_out, kmer_effects
from made.promoter_variants import made_promoter_variants

from zoo import score_variants
from zoo.datasets import yeast_variants as module
from zoo.datasets.yeast_genome import CONTIGS, TEST, VAL
from zoo.datasets.yeast_variants import read_variants
from zoo.genome.sequence import decode
from zoo.models.basenji import Basenji
from zoo.nn.trunk import TrunkConfig
from zoo.utils.download import PublicFile

TRACKS = ("mnase", *(f"{assay}_{strand}" for assay in yeast_models._STARTS for strand in ("plus", "minus")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def fetch(file: PublicFile, progress: bool = True) -> Path:
        return tmp_path / file.name

    monkeypatch.setattr(module, "fetch", fetch)
    return tmp_path


def test_each_contig_is_held_out_once_and_validates_in_no_fold_of_its_own() -> None:
    assert Counter(contig for fold in FOLDS for contig in fold) == Counter(CONTIGS)
    assert held_out(FOLDS[-1]) == (VAL, TEST)
    for fold in FOLDS:
        val, test = held_out(fold)
        assert test == list(fold)
        assert not set(val) & set(test)


def test_effects_by_kmers_are_learnt_from_other_contigs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_promoter_variants(folder, 640)
    read_variants.cache_clear()
    variants = read_variants()
    read_variants.cache_clear()
    # Each base counts on its own, so counts of single bases tell the effect.
    worth = {"A": 0.0, "C": 1.0, "G": 3.0, "T": -2.0}
    alleles = (variants.reference_oligo, variants.alternative_oligo)
    reference, alternative = np.array([[sum(worth[base] for base in oligo) for oligo in each] for each in alleles])
    known = variants._replace(effect=alternative - reference, mean=(alternative + reference) / 2)
    monkeypatch.setattr("zoo.datasets.yeast_reporter.read_variants", lambda: known)
    monkeypatch.setattr(yeast_models, "_K", 1)
    monkeypatch.setattr(yeast_models, "_PENALTIES", (1e-3,))
    np.testing.assert_allclose(kmer_effects(known), known.effect, atol=1e-3)


def test_effects_in_the_genome_are_those_of_score_variants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    text = {name: decode(rng.integers(0, 4, 3000).astype(np.uint8)) for name in CONTIGS}
    fasta = "".join(f">{name}\n{bases}\n" for name, bases in text.items())

    def write_genome(path: Path) -> None:
        path.write_text(fasta)

    torch.manual_seed(0)
    trunk = TrunkConfig(
        stem_filters=6, stem_pool=4, tower_filters=(6,), tower_pools=(4,), residual_filters=4, dilations=(1,)
    )
    model = Basenji(TRACKS, 512, trunk, head_filters=8, crop_bins=2, rc_average=False).eval()
    monkeypatch.setattr(yeast_models, "write_genome", write_genome)
    monkeypatch.setattr(yeast_models, "load", lambda name: model)
    write_genome(folder / "genome.fa")
    made_promoter_variants(folder, 4)
    read_variants.cache_clear()
    made = read_variants()
    read_variants.cache_clear()
    position = np.array([1500, 1500, 900, 2000])
    ref = np.array([text[name][at] for name, at in zip(made.contig, position, strict=True)])
    alt = np.array(["A" if base == "C" else "C" for base in ref])
    variants = made._replace(
        position=position, reference=ref, alternative=alt, minus=np.array([True, False, False, True])
    )
    effects = yeast_models._compute_track_effects(variants)
    snvs = list(zip(variants.contig.tolist(), (position + 1).tolist(), ref.tolist(), alt.tolist(), strict=True))
    options = {"shifts": yeast_models._SHIFTS, "both_strands": True, "scores": ["log2_ratio"]}
    for distance in DISTANCES:
        scores = score_variants(model, snvs, folder / "genome.fa", within=distance, **options)  # type: ignore[arg-type]
        ratio = scores.score("log2_ratio")
        np.testing.assert_allclose(effects[f"nucleosomes within {distance} bp"], ratio[:, 0], atol=1e-6)
        starts = [ratio[row, (2 if minus else 1) :: 2].mean() for row, minus in enumerate(variants.minus)]
        np.testing.assert_allclose(effects[f"starts within {distance} bp"], starts, atol=1e-6)
