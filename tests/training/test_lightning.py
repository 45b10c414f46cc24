"""Lightning's own verbs work as Lightning documents them, for every architecture with every DataModule that fits it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cooler
import numpy as np
import pandas as pd
import pyBigWig
import pytest
import torch
from lightning import LightningDataModule, Trainer
from lightning.pytorch.cli import LightningCLI
from made.contacts import bins_of
from test_contract import LENGTH, SMALL

from zoo.data.contacts import ContactDataModule
from zoo.data.genome_split import SplitRules
from zoo.data.peaks import PeakDataModule
from zoo.data.peaks.rules import PeakRules
from zoo.data.sequences import SequenceDataModule
from zoo.data.tracks import TrackDataModule
from zoo.genome.sequence import decode
from zoo.hub.architectures import architectures, load_architecture
from zoo.models._base import SequenceModel
from zoo.models.mlp import MLP

CONTIGS = {"chr1": 4_000, "chr2": 1_600, "chr3": 1_600}
SPLIT = SplitRules(val=["chr2"], test=["chr3"])
BASENJI_BIN, AKITA_BIN = 8, 20  # bases, of the nets in SMALL


def sequence_data(folder: Path) -> LightningDataModule:
    rng = np.random.default_rng(1)
    rows = [f"{decode(rng.integers(0, 4, LENGTH).astype(np.uint8))},{i % 2},{i // 2 % 2}" for i in range(80)]
    table = folder / "table.csv"
    table.write_text("\n".join(["seq,one,two", *rows]))
    return SequenceDataModule(
        table=str(table), sequence_column="seq", label_columns=["one", "two"], batch_size=16, num_workers=0
    )


def peak_data(folder: Path) -> LightningDataModule:
    for number, name in enumerate("ab"):
        lines = [
            f"{contig}\t{start}\t{start + 10}\n"
            for contig, size in CONTIGS.items()
            for start in range(250 + 400 * number, size - 250, 800)
        ]
        (folder / f"{name}.bed").write_text("".join(lines))
    rules = PeakRules(length=LENGTH, val=["chr2"], test=["chr3"])
    files = {name: str(folder / f"{name}.bed") for name in "ab"}
    return PeakDataModule(str(folder / "genome.fa"), peaks=files, rules=rules, batch_size=4)


def track_data(folder: Path) -> LightningDataModule:
    rng = np.random.default_rng(3)
    with pyBigWig.open(str(folder / "one.bw"), "w") as file:
        file.addHeader(list(CONTIGS.items()))
        for name, size in CONTIGS.items():
            file.addEntries(name, 0, values=rng.poisson(3, size // 50).astype(float), span=50, step=50)
    (folder / "targets.tsv").write_text("name\tpath\none\tone.bw\n")
    return TrackDataModule(
        str(folder / "genome.fa"),
        str(folder / "targets.tsv"),
        length=LENGTH,
        bin_size=BASENJI_BIN,
        crop=SMALL["basenji"]["crop_bins"],
        split=SPLIT,
        batch_size=8,
    )


def contact_data(folder: Path) -> LightningDataModule:
    rng = np.random.default_rng(4)
    bins = bins_of(CONTIGS, AKITA_BIN).assign(weight=1.0)
    row = np.repeat(np.arange(len(bins)), 12)
    column = row + np.tile(np.arange(12), len(bins))
    pixels = pd.DataFrame({"bin1_id": row, "bin2_id": column, "count": rng.poisson(5, len(row)) + 1})
    cooler.create_cooler(str(folder / "made.cool"), bins, pixels[column < len(bins)], ordered=True)
    return ContactDataModule(
        str(folder / "genome.fa"),
        {"made": str(folder / "made.cool")},
        LENGTH,
        crop=SMALL["akita"]["crop_bins"],
        split=SPLIT,
        batch_size=8,
    )


FITTING: dict[str, list[Callable[[Path], LightningDataModule]]] = {
    "mlp": [sequence_data, peak_data],
    "deepbind": [sequence_data, peak_data],
    "basset": [sequence_data, peak_data],
    "basenji": [track_data],
    "basenji_labels": [sequence_data, peak_data],
    "akita": [contact_data],
}
CASES = [pytest.param(name, data, id=f"{name}-{data.__name__}") for name, fits in FITTING.items() for data in fits]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with genome.fa."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    contigs = {name: decode(rng.integers(0, 4, size).astype(np.uint8)) for name, size in CONTIGS.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    return folder


def build(name: str, data: Any) -> SequenceModel:
    torch.manual_seed(0)
    return load_architecture(name)(targets=data.targets, length=LENGTH, **SMALL.get(name, {}))  # type: ignore[call-arg]


def trainer_in(folder: Path) -> Trainer:
    return Trainer(
        max_steps=1,
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def test_every_architecture_meets_its_data() -> None:
    assert set(FITTING) == set(architectures())


@pytest.mark.parametrize(("name", "make_data"), CASES)
def test_lightning_s_verbs_and_checkpoints_work(
    name: str, make_data: Callable[[Path], LightningDataModule], folder: Path, tmp_path: Path
) -> None:
    data = make_data(folder)
    model = build(name, data)
    before = [parameter.clone() for parameter in model.parameters()]
    trainer = trainer_in(tmp_path)
    trainer.fit(model, datamodule=data)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    for split, run in (("val", trainer.validate), ("test", trainer.test)):
        (scores,) = run(model, datamodule=data, verbose=False)
        assert f"{split}_loss" in scores
        assert len(scores) > 2
    predictions: Any = trainer.predict(model, datamodule=data)
    batches = list(data.predict_dataloader())
    assert [len(batch) for batch in predictions] == [len(batch.codes) for batch in batches]
    assert predictions[0].shape[1:] == model.output.shape
    with torch.inference_mode():
        model.eval()
        for predicted, batch in zip(predictions, batches, strict=True):
            assert torch.equal(predicted, model.predict(batch.codes, batch.inputs))
        trainer.save_checkpoint(tmp_path / "model.ckpt")
        loaded = type(model).load_from_checkpoint(tmp_path / "model.ckpt").eval()
        assert torch.equal(loaded.predict(batches[0].codes, batches[0].inputs), predictions[0])
    assert loaded.arguments == model.arguments == dict(loaded.hparams)


def test_codes_alone_are_predicted() -> None:
    model = MLP(["one"], LENGTH)
    codes = torch.randint(0, 5, (6, LENGTH), dtype=torch.uint8)
    loader: Any = torch.utils.data.DataLoader(codes, batch_size=4)  # type: ignore[arg-type]
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False)
    predictions = torch.cat(trainer.predict(model, loader))  # type: ignore[arg-type]
    assert torch.equal(predictions, model.eval().predict(codes))


def test_a_checkpoint_of_lightning_cli_holds_the_constructor_s_arguments(tmp_path: Path) -> None:
    cli = LightningCLI(
        MLP,
        run=False,
        save_config_callback=None,
        args=["--model.targets=[one]", "--model.length=20", "--model.hidden=[4]", "--trainer.logger=false"],
    )
    assert cli.model.arguments == MLP(["one"], 20, [4]).arguments
    cli.trainer.strategy.connect(cli.model)
    cli.trainer.save_checkpoint(tmp_path / "model.ckpt")
    loaded = MLP.load_from_checkpoint(tmp_path / "model.ckpt")
    assert loaded.arguments == cli.model.arguments


def test_loading_takes_other_arguments_as_lightning_documents(tmp_path: Path, folder: Path) -> None:
    data = sequence_data(folder)
    model = build("mlp", data)
    trainer = trainer_in(tmp_path)
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    assert type(model).load_from_checkpoint(tmp_path / "model.ckpt", dropout=0.25).arguments["dropout"] == 0.25
