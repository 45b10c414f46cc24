"""The weights of a checkpoint folder as they are stored: whole in `model.safetensors`.

Headers are read first and compared with a model on the meta device; the tensors follow once all of that fits.
"""

from pathlib import Path

from torch import Tensor

from zoo.errors import IntegrityError
from zoo.hub.architectures import explained
from zoo.hub.config import CheckpointConfig
from zoo.hub.folder import WEIGHTS, checkpoint_file
from zoo.hub.upgrade import upgrade_tensors
from zoo.hub.weights import TensorForm, check_forms, forms_of, read_forms, read_tensors
from zoo.models._base import SequenceModel
from zoo.utils.download import sha256_of

__all__ = ["WholeWeights", "check_sha256"]


class WholeWeights:
    """Weights that are stored whole.

    Args:
        folder: the checkpoint.
        config: its configuration.

    Attributes:
        path: the file.
        size: its bytes.
        stored_forms: type and shape of its tensors, under the names of the checkpoint's format.

    Raises:
        IntegrityError: a file that is missing or broken.
    """

    def __init__(self, folder: Path, config: CheckpointConfig) -> None:
        self._config = config
        self.path = checkpoint_file(folder, WEIGHTS)
        self.stored_forms = read_forms(self.path)
        self.size = self.path.stat().st_size

    def forms(self) -> dict[str, TensorForm]:
        """Type and shape of the tensors, under their current names."""
        with explained(self.path, "does not fit the architecture"):
            return upgrade_tensors(self.stored_forms, self._config.architecture, self._config.stored_format)

    def check(self, on_meta: SequenceModel) -> None:
        """Check that the tensors are those of a model.

        Raises:
            IntegrityError: they are not.
        """
        check_forms(self.path, self.forms(), forms_of(on_meta.state_dict()))

    def check_base(self) -> None:
        """Check the base's sha256; there is no base."""

    def read(self) -> dict[str, Tensor]:
        """Read the tensors, under their current names."""
        return upgrade_tensors(read_tensors(self.path), self._config.architecture, self._config.stored_format)


def check_sha256(path: Path, published: str) -> None:
    """Check that a file is the one of a sha256.

    Raises:
        IntegrityError: it is another, or cannot be read.
    """
    try:
        stored = sha256_of(path)
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}") from None
    if stored != published:
        raise IntegrityError(f"{path} is not the file that was published: its sha256 differs")
