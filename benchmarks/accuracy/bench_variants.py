"""Measured effects of variants: saturation mutagenesis of regulatory elements, and SNPs that change accessibility.

    zoo benchmark variants [--tables agreement satmut_mpra dsqtl yeast]

Nothing is trained on `satmut_mpra` and `dsqtl` and no model is chosen on them: basset.dhs_cells was scored once, when
it was final, by this protocol, which was written before. Two earlier ones had been scored by it too, by their outputs
that tell cell lines apart: without a trunk (SORT1 .39, PKLR-24h .32, GP1BA .36; sign of SNPs .64), and with the trunk
of now (.47, .39, .43; .65). The outputs that tell open sites from shuffles came after that. They were chosen on
chromosome 2: by sites against shuffles, and by the agreement of changes of single bases there with basset.mpra_dragonn,
which is table `variants_agreement` (`agreement_table.py`). The protocol of table `variants_yeast` is in
`yeast_table.py`.

What a model predicts of a variant is the difference of its raw outputs (logits of classes), other allele minus
reference, each the mean over both strands of a window. The window has the length that the model reads and the variant
in its middle; near the ends of an element it is moved to lie within it, since the models know no N in their input. An
element that is shorter than the window, as the published 100 bp of SNPs, is in its middle with N around it. A row
`five shifts` is the mean over windows that are moved by -20, -10, 0, 10 and 20 bases, as `zoo variants --shifts` does.

Table `variants_satmut_mpra`: Kircher 2019, variants with ten barcodes or more, one row for each experiment and model.
`SNVs` are single-base substitutions, with Pearson r and Spearman's rank correlation of predicted and measured effects.
Of a deletion one flank keeps its place in the window and the other moves up by a base; Pearson r is given for each
flank held, and for the mean of both, as `--hold both` of `zoo variants` has it.
The outputs that are read:

- basset.dhs_cells (its outputs `HepG2_open` ...) and 6-mers (a logistic regression on the same sites, without shuffles:
  `HepG2` ...): HepG2 for elements that were measured in HepG2; K562 for those in K562 and in HEL 92.1.7, an
  erythroleukaemia line like it. For all other cell lines, which the models do not know, the mean of all four outputs.
  The cell line of the experiment alone decides.
- basset.mpra_dragonn: the mean of `minP_pooled` of both cell lines, the minimal promoter with replicates pooled. For
  this published model windows and outputs are those of an earlier measurement (F9 .61, HBG1 .45, LDLR .44), which
  they reproduce; the variant always in the middle, N beyond the element, and the output of the matched cell line alone
  gave .62, .42 and .43.

`ChromBPNet` (the best of several models of matched cell lines, chosen after the fact) and `Enformer` (DNase) are
figures that were published with ChromBPNet (Pampari 2024, doi:10.1101/2024.12.25.630221), not computed here.

Table `variants_dsqtl`: 573 SNPs of Degner 2012, in 100 bp, with the effect per copy of the other allele. `sign right`
is the fraction whose predicted difference has the sign of the measured effect; Pearson r is over all 573. GM12878 is
the cell line that matches lymphoblastoid cells; the others tell whether the match matters. `deltaSVM` (Lee 2015,
doi:10.1038/ng.3331) are its authors' published scores of the same SNPs, not computed here.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[1]))
from accuracy.agreement_table import agreement_table
from accuracy.kmer_regression import fit_by_kmers
from accuracy.variant_effects import Raw, predict_effects, raw_outputs
from accuracy.variant_windows import HELD, Windows, variant_windows
from accuracy.yeast_table import yeast_table
from common import make_parser, pearson, write_results

from zoo.datasets.dhs_cells import CELLS, DhsCellsDataModule, open_target
from zoo.datasets.dsqtl import Qtls, read_qtls, scored_names
from zoo.datasets.satmut_mpra import Experiment, read_experiments
from zoo.hub.folder import WEIGHTS
from zoo.hub.load import load, resolve
from zoo.utils.download import sha256_of

DHS, MPRA, KMERS = "basset.dhs_cells", "basset.mpra_dragonn", "6-mers"
# Experiment -> cell line in which it was measured, as its authors list them.
MEASURED_IN = {
    **dict.fromkeys(["F9", "LDLR", "LDLR.2", "SORT1", "SORT1-flip", "SORT1.2"], "HepG2"),
    **dict.fromkeys(["PKLR-24h", "PKLR-48h"], "K562"),
    **dict.fromkeys(["BCL11A", "GP1BA", "HBB", "HBG1"], "HEL 92.1.7"),
    **dict.fromkeys(["HNF4A", "MSMB", "MYCrs6983267", "TERT-HEK"], "HEK293T"),
    **dict.fromkeys(["TERT-GAa", "TERT-GBM", "TERT-GSc"], "SF7996"),
    **dict.fromkeys(["TCF7L2", "ZFAND3"], "MIN6"),
    **dict.fromkeys(["RET", "UC88"], "Neuro-2a"),
    **dict.fromkeys(["ZRSh-13", "ZRSh-13h2"], "NIH/3T3"),
    "FOXE1": "HeLa",
    "IRF4": "SK-MEL-28",
    "IRF6": "HaCaT",
    "MYCrs11986220": "LNCaP",
}
MATCHED = {"HepG2": "HepG2", "K562": "K562", "HEL 92.1.7": "K562"}
# Experiment -> Pearson r of ChromBPNet and of Enformer, as published.
PUBLISHED = {
    "SORT1": {"ChromBPNet": 0.762, "Enformer": 0.619},
    "IRF4": {"ChromBPNet": 0.817, "Enformer": 0.714},
    "PKLR-24h": {"ChromBPNet": 0.807, "Enformer": 0.809},
    "IRF6": {"ChromBPNet": 0.691, "Enformer": 0.648},
    "LDLR": {"ChromBPNet": 0.575, "Enformer": 0.628},
    "HBB": {"ChromBPNet": 0.560, "Enformer": 0.578},
    "TERT-HEK": {"ChromBPNet": 0.551, "Enformer": 0.587},
    "HBG1": {"ChromBPNet": 0.550, "Enformer": 0.189},
    "GP1BA": {"ChromBPNet": 0.523, "Enformer": 0.564},
    "MYCrs6983267": {"ChromBPNet": 0.508, "Enformer": 0.559},
    "ZFAND3": {"ChromBPNet": 0.452, "Enformer": 0.450},
    "HNF4A": {"ChromBPNet": 0.383, "Enformer": 0.288},
    "F9": {"ChromBPNet": 0.333, "Enformer": 0.291},
    "MSMB": {"ChromBPNet": 0.226, "Enformer": 0.119},
}
DELTA_SVM = ("deltaSVM, published", "", 573, 0.867, 0.728)  # model, output, SNPs, sign right, r
QTL_CELL = "GM12878"

Numbers = NDArray[np.float64]


class Predictor(NamedTuple):
    """A model whose predictions are compared with measurements.

    Attributes:
        name: its name.
        raw: codes (N, L) -> raw outputs (N, T).
        length: bases that it reads, L.
        targets: names of its outputs (T).
        outputs: cell line -> the output that is read, by name.
        matched: read the output of the cell line of an experiment, where there is one; else the mean of all.
        shifts: bases by which windows are moved; effects are the mean over them.
    """

    name: str
    raw: Raw
    length: int
    targets: Sequence[str]
    outputs: dict[str, str]
    matched: bool = True
    shifts: tuple[int, ...] = (0,)

    def choose(self, cell: str) -> list[str]:
        """The outputs that are read for an experiment in a cell line, and averaged."""
        chosen = MATCHED.get(cell) if self.matched else None
        return list(self.outputs.values()) if chosen is None else [self.outputs[chosen]]

    def number(self, output: str) -> int:
        """Index of an output."""
        return self.targets.index(output)


def main(arguments: Sequence[str]) -> None:
    """Score the models, print and write the tables."""
    parser = make_parser("variants", __doc__)
    tables = {"satmut_mpra": satmut_table, "dsqtl": qtl_table}
    others = {"agreement": agreement_table, "yeast": yeast_table}
    names = [*tables, *others]
    parser.add_argument("--tables", nargs="+", choices=names, default=names, help="tables to compute")
    options = parser.parse_args(arguments)
    for name in options.tables:
        if name in others:
            print(write_results(f"variants_{name}", *others[name]()))
            continue
        header, rows = tables[name](predictors())
        facts = {model: {"sha256": sha256_of(resolve(model) / WEIGHTS)} for model in (DHS, MPRA)}
        print(write_results(f"variants_{name}", header, rows, facts))


@cache
def predictors() -> list[Predictor]:
    """Load both models, and fit the regression on the sites that basset.dhs_cells was trained on."""
    dhs, mpra = load(DHS), load(MPRA)
    opens = {cell: open_target(cell) for cell in CELLS}
    pooled = {cell: f"{cell}_minP_pooled" for cell in ("K562", "HepG2")}
    kmers, cells = fit_by_kmers(DhsCellsDataModule(), seed=1), {cell: cell for cell in CELLS}
    read = (raw_outputs(dhs), dhs.length, dhs.output.targets, opens)
    return [
        Predictor(DHS, *read),
        Predictor(f"{DHS}, five shifts", *read, shifts=(-20, -10, 0, 10, 20)),
        Predictor(MPRA, raw_outputs(mpra), mpra.length, mpra.output.targets, pooled, matched=False),
        Predictor(KMERS, lambda codes: kmers.logits(codes).double().numpy(), dhs.length, list(CELLS), cells),
    ]


def satmut_table(models: Sequence[Predictor]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of the table of saturation mutagenesis."""
    rows: list[list[object]] = []
    for name, experiment in track(read_experiments().items(), description="saturation mutagenesis"):
        cell = MEASURED_IN[name]
        deleted = experiment.is_deletion
        counts = [int((~deleted).sum()), int(deleted.sum())]
        left_out = experiment.few_barcodes + experiment.no_position
        for model in models:
            left, right = effects(model, experiment, cell)
            measured = experiment.effect
            snvs = [pearson(left[~deleted], measured[~deleted]), spearman(left[~deleted], measured[~deleted])]
            deletions = [pearson(values[deleted], measured[deleted]) for values in (left, right, (left + right) / 2)]
            output = ", ".join(model.choose(cell))
            rows.append([name, cell, model.name, output, counts[0], *snvs, counts[1], *deletions, left_out])
        for other, r in PUBLISHED.get(name, {}).items():
            rows.append([name, cell, f"{other}, published", "", "", r, *[""] * 6])
    header = ["experiment", "cell line", "model", "output", "SNVs", "SNV Pearson", "SNV Spearman", "deletions"]
    header += [f"deletion Pearson, {held}" for held in ("left flank held", "right flank held", "mean of both")]
    header.append("variants left out")
    return header, rows


def effects(model: Predictor, experiment: Experiment, cell: str) -> list[Numbers]:
    """Predict the effect of each variant of an experiment (V,), with the left flank of deletions held and the right."""
    variants = (experiment.codes, experiment.position, experiment.alternative)
    windows = [variant_windows(*variants, model.length, held, shift) for held in HELD for shift in model.shifts]
    outputs = [model.number(output) for output in model.choose(cell)]
    values = [one[:, outputs].mean(1) for one in predict_effects(model.raw, windows)]
    return list(np.reshape(values, (len(HELD), len(model.shifts), -1)).mean(1))


def qtl_table(models: Sequence[Predictor]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of the table of SNPs: each output of basset.dhs_cells and of 6-mers, the matched one first."""
    qtls = read_qtls().select(scored_names())
    rows: list[list[object]] = []
    for model in models:
        predicted = qtl_effects(model, qtls)
        for cell in sorted(model.outputs, key=lambda cell: cell != QTL_CELL):
            values = predicted[:, model.number(model.outputs[cell])]
            right = float((np.sign(values) == np.sign(qtls.effect)).mean())
            rows.append([model.name, model.outputs[cell], len(qtls.names), right, pearson(values, qtls.effect)])
    rows.append(list(DELTA_SVM))
    return ["model", "output", "SNPs", "sign right", "Pearson"], rows


def qtl_effects(model: Predictor, qtls: Qtls) -> Numbers:
    """Predict the effect of each SNP on each output (V, T)."""
    predicted = []
    for shift in model.shifts:
        windows = []
        for reference, alternative in zip(qtls.reference, qtls.alternative, strict=True):
            position = np.flatnonzero(reference != alternative)
            windows.append(variant_windows(reference, position, alternative[position], model.length, shift=shift))
        joined = (np.concatenate(alleles) for alleles in zip(*windows, strict=True))
        predicted += predict_effects(model.raw, [Windows(*joined)])
    mean: Numbers = np.mean(predicted, 0)
    return mean


def spearman(x: Numbers, y: Numbers) -> float:
    """Spearman's rank correlation of two arrays (N,)."""
    return float(spearmanr(x, y).statistic)


if __name__ == "__main__":
    main(sys.argv[1:])
