"""Checkpoints on the Hugging Face Hub: a repository is a checkpoint folder. Nothing here imports torch."""

from pathlib import Path

from zoo.errors import UnknownNameError
from zoo.hub.config import CARD, CONFIG, EXAMPLE, RECIPE, TARGETS, WEIGHTS
from zoo.utils.download import cache_folder

__all__ = ["download", "verified_marker"]


def download(name: str) -> Path:
    """Download a checkpoint, or take it from the Hub's own cache.

    Args:
        name: `hf-hub:org/repo@revision`.

    Returns:
        Its folder, which is named by the commit.

    Raises:
        UnknownNameError: a name without a revision, or a repository that cannot be downloaded.
    """
    repository, revision = _split(name)
    if not revision:
        raise UnknownNameError(
            f"{name!r} has no revision: write hf-hub:{repository}@REVISION (a commit, which never changes)"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        files = [CONFIG, WEIGHTS, TARGETS, EXAMPLE, CARD, RECIPE]
        return Path(snapshot_download(repository, revision=revision, allow_patterns=files))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise UnknownNameError(
            f"{name!r} cannot be downloaded from the Hugging Face Hub ({type(error).__name__})"
        ) from None


def verified_marker(name: str, folder: Path) -> Path:
    """The file whose existence says that a downloaded checkpoint reproduced its example on this computer.

    Args:
        name: `hf-hub:org/repo@revision`.
        folder: what `download` returned: its commit never changes, while a revision such as `main` does.
    """
    repository, _ = _split(name)
    return cache_folder() / "verified" / f"{repository.replace('/', '--')}@{folder.name}"


def _split(name: str) -> tuple[str, str]:
    repository, _, revision = name.removeprefix("hf-hub:").partition("@")
    return repository, revision
