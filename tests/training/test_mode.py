"""A model that was loaded, in evaluation mode, is trained in training mode; what is frozen stays in evaluation mode."""

from pathlib import Path

import pytest
import torch
from lightning import Trainer
from torch.utils.data import DataLoader

from zoo.batch import Batch
from zoo.hub.loading import load_folder
from zoo.models.basset import Basset
from zoo.training.callbacks import FreezeModules


class Recording(Basset):
    """Basset that records the modes of its modules while it is trained."""

    modes: dict[str, bool]

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        self.modes = {name: module.training for name, module in self.named_modules()}
        return super().training_step(batch, index)


@pytest.fixture
def model() -> Recording:
    torch.manual_seed(0)
    return Recording(["a"], 200).eval()


def fit(model: torch.nn.Module, *callbacks: FreezeModules) -> None:
    batches = [Batch(torch.randint(0, 4, (4, 200), dtype=torch.uint8), torch.ones(4, 1)) for _ in range(2)]
    loader: DataLoader[Batch] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
    )
    trainer.fit(model, loader)  # type: ignore[arg-type]


def modes_of(model: Recording, prefix: str) -> set[bool]:
    return {mode for name, mode in model.modes.items() if name.startswith(prefix)}


def test_a_model_in_evaluation_mode_is_trained_in_training_mode(model: Recording) -> None:
    assert not model.training
    fit(model)
    assert set(model.modes.values()) == {True}


def test_modules_without_a_weight_to_train_stay_in_evaluation_mode(model: Recording) -> None:
    model.trunk.requires_grad_(False)
    before = {name: value.clone() for name, value in model.trunk.state_dict().items()}
    fit(model)
    weighted = {name for name, module in model.trunk.named_modules() if name and list(module.parameters())}
    assert {model.modes[f"trunk.{name}"] for name in weighted} == {False}
    assert modes_of(model, "head") == {True}
    assert all(torch.equal(value, before[name]) for name, value in model.trunk.state_dict().items())


def test_a_callback_that_freezes_has_the_last_word(model: Recording) -> None:
    fit(model, FreezeModules(["trunk"]))
    assert modes_of(model, "trunk") == {False}
    assert modes_of(model, "head") == {True}


def test_a_mode_that_the_caller_chose_for_a_module_is_kept(model: Recording) -> None:
    model.train()
    model.trunk.eval()
    fit(model)
    assert modes_of(model, "trunk") == {False}
    assert model.modes[""]


def test_a_loaded_checkpoint_predicts_in_evaluation_mode(tiny_checkpoint: Path) -> None:
    assert not load_folder(tiny_checkpoint / "mlp.tiny").training
