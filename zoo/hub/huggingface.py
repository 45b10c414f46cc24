"""Checkpoints on the Hugging Face Hub: a repository is a checkpoint folder. Nothing here imports torch."""

import hashlib
import logging
from contextlib import suppress
from functools import cache as cached
from pathlib import Path

from zoo.errors import IntegrityError, UnknownNameError
from zoo.hub.config import read_config
from zoo.hub.folder import (
    BACKGROUND,
    CARD,
    CONFIG,
    DELTA,
    EXAMPLE,
    RECIPE,
    SEEN,
    TARGETS,
    WEIGHTS,
    is_snapshot,
    largest_size,
)
from zoo.hub.hub_client import (
    COMMIT,
    OTHER_TEMPORARY,
    client_failures,
    explain_hub,
    explaining_hub,
    hub_cache,
    split_address,
    without_bars,
)
from zoo.utils.download import cache_folder, sha256_of
from zoo.utils.text import quoted

__all__ = ["discard_damaged", "download", "git_id", "is_cached_download", "verified_marker"]

_log = logging.getLogger(__name__)
_NEEDED = (CONFIG, TARGETS, EXAMPLE)
_EITHER = (WEIGHTS, DELTA)
_OPTIONAL = (CARD, RECIPE, SEEN, BACKGROUND)
_SECONDS = 20
_CURE = "a folder with the files of the repository can be used as local-dir:FOLDER"


def download(name: str, cache: Path | None = None) -> Path:
    """Download a checkpoint, or take it from the Hub's own cache.

    Only the files of a checkpoint are fetched: JSON, safetensors, TSV, Markdown and the YAML of its configuration. A
    revision that is no commit is said to move, and a repository that has another name now is said too.

    Args:
        name: `hf-hub:org/repo@revision`.
        cache: folder of the Hub's cache, such as a temporary one; None for that of the user.

    Returns:
        Its folder, which is named by the commit.

    Raises:
        UnknownNameError: a name without a revision, or a repository or revision that does not exist.
        DownloadError: the Hub cannot be reached, or refuses; which of these is said.
        IntegrityError: an answer that does not come from a Hub, or a file that is larger than it may be.
        OutputError: the cache cannot be written.
    """
    repository, revision = split_address(name)
    if not revision:
        raise UnknownNameError(
            f"{name!r} has no revision: write hf-hub:{repository}@REVISION (a commit, which never changes)"
        )
    with explaining_hub(name, _CURE, *([OTHER_TEMPORARY] if cache else [])):
        cache = cache or hub_cache()
        if cache:
            cache.mkdir(parents=True, exist_ok=True)
        return _fetch(repository, revision, cache)


def _fetch(repository: str, revision: str, cache: Path | None) -> Path:
    """The folder of a revision: that on this computer for a commit, which never changes, else what the Hub has now."""
    from huggingface_hub import HfApi, errors, snapshot_download

    address, is_commit = f"hf-hub:{repository}@{revision}", bool(COMMIT.fullmatch(revision))
    if is_commit and (folder := _on_disk(repository, revision, cache)):
        return folder
    try:
        # Answers or fails at once, where a download of a commit tries again for half a minute.
        info = HfApi().model_info(repository, revision=revision, timeout=_SECONDS, files_metadata=True)
    except (errors.RevisionNotFoundError, errors.HFValidationError):
        raise
    except client_failures() as error:
        if not (folder := _on_disk(repository, revision, cache)):
            raise
        _log.warning(str(explain_hub(error, address, f"so {folder.name}, which was downloaded before, is used")))
        return folder
    commit = _commit(address, info.sha)
    wanted = [*_NEEDED, *_EITHER, *_OPTIONAL]
    sizes = {one.rfilename: one.size for one in info.siblings or [] if one.rfilename in wanted}
    _check_sizes(address, {name: _size(repository, commit, name, size) for name, size in sizes.items()})
    folder = Path(snapshot_download(repository, revision=commit, cache_dir=cache, allow_patterns=wanted))
    if not is_commit:
        with without_bars():  # keeps which commit the revision is, for a time without the Hub; downloads nothing
            snapshot_download(repository, revision=revision, cache_dir=cache, allow_patterns=[])
        _say_it_moves(repository, revision, commit)
    if info.id != repository:
        _say_it_was_renamed(address, f"hf-hub:{info.id}@{revision}")
    return folder


def _commit(address: str, sha: str | None) -> str:
    """The commit that the Hub says a revision is.

    Raises:
        IntegrityError: it says none, or another than the one that was asked for.
    """
    revision = split_address(address)[1]
    if sha is None or not COMMIT.fullmatch(sha) or (COMMIT.fullmatch(revision) and sha != revision):
        raise IntegrityError(f"{address}: the Hub says that it is the commit {quoted(str(sha))}, which it cannot be")
    return sha


@cached
def _say_it_moves(repository: str, revision: str, commit: str) -> None:
    """Say once that a revision is no commit."""
    now, fixed = f"it is the commit {commit} now", f"hf-hub:{repository}@{commit} stays with it"
    _log.warning(f"hf-hub:{repository}@{revision} may move: {now}, and {fixed}")


@cached
def _say_it_was_renamed(address: str, now: str) -> None:
    """Say once that a repository has another name now: somebody else may take the old one."""
    _log.warning(f"{address} has another name now: write {quoted(now)}")


def _size(repository: str, commit: str, name: str, size: int | None) -> int | None:
    """The size of a file, which is asked for where the list of files does not have it."""
    if size is not None:
        return size
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    return get_hf_file_metadata(hf_hub_url(repository, name, revision=commit), timeout=_SECONDS).size


def _check_sizes(address: str, sizes: dict[str, int | None]) -> None:
    """Refuse files that are larger than they may be, before they are downloaded."""
    for name, size in sizes.items():
        largest = largest_size(name)
        if largest is not None and size is None:
            raise IntegrityError(
                f"{address}: the Hub does not say the size of {name}, which may have {largest:,} bytes"
            )
        if largest is not None and size is not None and size > largest:
            raise IntegrityError(f"{address}: {name} has {size:,} bytes; this file may have {largest:,}")


def _on_disk(repository: str, revision: str, cache: Path | None) -> Path | None:
    """The folder of a revision that was downloaded before, if it is whole; damaged texts are removed from it."""
    from huggingface_hub import snapshot_download

    try:
        snapshot = snapshot_download(
            repository, revision=revision, cache_dir=cache, allow_patterns=[*_NEEDED, *_EITHER], local_files_only=True
        )
    except OSError:  # how the client says that it is not there
        return None
    folder = Path(snapshot)
    damaged = [name for name in (CONFIG, CARD) if _is_damaged(folder / name)]  # no sha256 is stated of these
    for name in damaged:
        _log.warning(f"{folder / name} was damaged: it is downloaded again")
        _remove(folder / name)
    if damaged or not all((folder / name).is_file() for name in _NEEDED):
        return None
    with suppress(IntegrityError):  # of a checkpoint that is broken on the Hub too: loading says it
        return folder if all((folder / name).is_file() for name in read_config(folder).sha256) else None
    return folder


def is_cached_download(folder: Path) -> bool:
    """Whether a folder lies in the user's cache of the Hub's client."""
    if not is_snapshot(folder):
        return False
    from huggingface_hub import constants

    return folder.resolve().is_relative_to((hub_cache() or Path(constants.HF_HUB_CACHE)).resolve())


def discard_damaged(folder: Path) -> list[str]:
    """Remove files of a download that are not the published ones, so that they are downloaded again next time.

    Args:
        folder: a checkpoint; nothing is removed from one that is not in the Hub's cache.

    Returns:
        The names of the files that were removed.
    """
    if not is_cached_download(folder):
        return []
    published: dict[str, str] = {}
    with suppress(IntegrityError):  # a broken config.json: it is compared with its name in the cache
        published = read_config(folder).sha256
    removed = []
    for name in (*_NEEDED, *_EITHER, *_OPTIONAL):
        path = folder / name
        with suppress(OSError):
            is_other = name in published and sha256_of(path.resolve(strict=True)) != published[name]
            if is_other or _is_damaged(path):
                _remove(path)
                removed.append(name)
    return removed


def _is_damaged(path: Path) -> bool:
    """Whether a cached file is not the one that its name in the cache says, which is what a server named it by.

    The Hub does so by sha256, or by the id that git gives to a text; some mirrors by SHA-1.
    """
    try:
        content = path.resolve(strict=True)
        if len(content.name) == 64:
            return sha256_of(content) != content.name
        if len(content.name) != 40:
            return False
        text = content.read_bytes()
        return content.name not in (git_id(text), hashlib.sha1(text, usedforsecurity=False).hexdigest())
    except OSError:
        return False


def git_id(content: bytes) -> str:
    """The id that git gives to a file, by which the Hub knows those that are not large."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _remove(path: Path) -> None:
    """Remove a cached file: the link, and what it leads to."""
    content = path.resolve()
    path.unlink()
    content.unlink(missing_ok=True)


def verified_marker(name: str, folder: Path) -> Path:
    """The file whose existence says that a downloaded checkpoint reproduced its example on this computer.

    Args:
        name: `hf-hub:org/repo@revision`.
        folder: what `download` returned: its commit never changes, while a revision such as `main` does.
    """
    repository, _ = split_address(name)
    return cache_folder() / "verified" / f"{repository.replace('/', '--')}@{folder.name}"
