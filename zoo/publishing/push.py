"""`zoo push`: publish a checkpoint as one commit on the Hugging Face Hub, read it back and verify it."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ConfigError, IntegrityError
from zoo.hub.cards import render_folder
from zoo.hub.config import CheckpointConfig, read_config
from zoo.hub.folder import CARD, CONFIG, checkpoint_file
from zoo.hub.hub_client import COMMIT
from zoo.hub.huggingface import download
from zoo.hub.own import find_here
from zoo.hub.pins import pin_checkpoint, pins_file
from zoo.hub.verification import verify_folder
from zoo.publishing.changes import Changes, RemoteState, changes_to
from zoo.publishing.obstacles import FILES, check_publishable
from zoo.publishing.repository import commit, create, holds, name_of_model, read_state, tag
from zoo.publishing.results import RESULTS, evaluation_results
from zoo.utils.text import quoted

__all__ = ["Plan", "Published", "check_access", "plan_push", "push"]


_KNOWN = (*FILES, RESULTS)
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Plan:
    """What a push would do.

    Attributes:
        name: name of the model.
        folder: the checkpoint.
        repository: `org/name`.
        state: what the repository holds; None where it does not exist yet.
        files: path -> content.
        changes: what differs.
        version: tag of the result.
    """

    name: str
    folder: Path
    repository: str
    state: RemoteState | None
    files: Mapping[str, bytes]
    changes: Changes
    version: str


@dataclass(frozen=True)
class Published:
    """A checkpoint that was published, read back and verified.

    Attributes:
        plan: what was done.
        revision: its commit.
        difference: largest difference of the predictions of the stored example, of what was read back.
        pins: file of the pinned list that has it now; None where it was not pinned.
    """

    plan: Plan
    revision: str
    difference: float
    pins: Path | None = None

    @property
    def address(self) -> str:
        """The name by which it is loaded: `hf-hub:org/name@commit`."""
        return f"hf-hub:{self.plan.repository}@{self.revision}"


def plan_push(name: str, repository: str, version: str | None = None) -> Plan:
    """Check a checkpoint, verify it, and compare it with what a repository holds; nothing is changed there.

    Args:
        name: `architecture.tag` or `local-dir:path`.
        repository: `org/name`.
        version: tag of the result; None for v1, v2 and so on, one more than the last.

    Raises:
        ConfigError: a checkpoint that is not fit to be published, or a tag that names another commit.
        IntegrityError: a broken checkpoint, or an example that is not reproduced.
        UnknownNameError: no such model, or a text that names no repository.
        DownloadError: the Hub cannot be reached, or refuses.
    """
    _check_texts(repository, version)
    folder = find_here(name).folder or Path()
    config = read_config(folder)
    check_publishable(folder, config, name)
    verify_folder(folder, config.facts.name)
    state = read_state(repository)
    for known in _known_versions(state, version):
        files = _files(folder, config, repository, known)
        if not (changes := changes_to(state, files, _KNOWN)):
            return Plan(config.facts.name, folder, repository, state, files, changes, known)
    if state:
        _check_repository(repository, state, config.facts.name, version)
    version = version or f"v{state.last_version + 1 if state else 1}"
    files = _files(folder, config, repository, version)
    return Plan(config.facts.name, folder, repository, state, files, changes_to(state, files, _KNOWN), version)


def _check_texts(repository: str, version: str | None) -> None:
    """Check the name of a repository and a tag, before anything is read or sent."""
    if not _REPOSITORY.fullmatch(repository):
        raise ConfigError(f"{quoted(repository)} does not name a repository: write ORG/REPO")
    if version is not None and (not _TAG.fullmatch(version) or version == "main" or COMMIT.fullmatch(version)):
        raise ConfigError(
            f"{quoted(version)} cannot be a tag: one has letters, digits, points, - and _, and is neither main nor a "
            "commit"
        )


def _known_versions(state: RemoteState | None, version: str | None) -> list[str]:
    """The tags that the result has where nothing is to be sent: the one that is asked for, or any of the head."""
    if state is None:
        return []
    if version is not None:
        return [version] if version in state.tags else []
    last = [f"v{state.last_version}"] if state.last_version else []
    return [*last, *(name for name, commit in state.tags.items() if commit == state.head and name not in last)]


def _check_repository(repository: str, state: RemoteState, name: str, version: str | None) -> None:
    """Refuse a tag that names another commit, and a repository of another model."""
    if version in state.tags:
        raise ConfigError(
            f"hf-hub:{repository} has the tag {version} already, for other files: a tag never moves, so take another"
        )
    if CONFIG in state.files and (other := name_of_model(repository, state.head)) != name:
        raise ConfigError(f"hf-hub:{repository} holds {other}, not {name}: take another repository")


def push(plan: Plan, private: bool | None = None, pin: bool = False) -> Published:
    """Publish a checkpoint: one commit, read back into an empty cache, verified, and then tagged.

    Args:
        plan: from `plan_push`.
        private: whether a new repository is private; None where it exists.
        pin: whether to write its name, commit and sha256 into the pinned list.

    Raises:
        ConfigError: a new repository without a choice of who can read it, one of the other kind, or one that somebody
            else has changed meanwhile.
        DownloadError: the Hub cannot be reached, or refuses.
        IntegrityError: what was read back is not what was sent.
        OutputError: the pinned list cannot be written.
    """
    check_access(plan, private)
    if pin:
        pins_file()
    revision = _send(plan, private)
    difference = _read_back(plan, revision)
    if plan.state is None or plan.version not in plan.state.tags:
        tag(plan.repository, plan.version, revision)
    return Published(
        plan, revision, difference, pin_checkpoint(plan.files[CONFIG], plan.repository, revision) if pin else None
    )


def _files(folder: Path, config: CheckpointConfig, repository: str, version: str) -> dict[str, bytes]:
    """The files of a repository: those of the folder, with a card whose commands load it from the Hub."""
    names = [name for name in FILES if name != CARD and (folder / name).exists()]
    files = {name: checkpoint_file(folder, name).read_bytes() for name in names}
    files[CARD] = render_folder(folder, f"hf-hub:{repository}@{version}").encode()
    if results := evaluation_results(config):
        files[RESULTS] = results.encode()
    return files


def check_access(plan: Plan, private: bool | None) -> None:
    """Check that it is known who can read the repository.

    Args:
        plan: from `plan_push`.
        private: as of `push`.

    Raises:
        ConfigError: a new repository without a choice, or one of the other kind.
    """
    if plan.state is None and private is None:
        raise ConfigError(f"hf-hub:{plan.repository} does not exist yet: add --private or --public")
    if plan.state is not None and private is not None and plan.state.private != private:
        kinds = {True: "private", False: "public"}
        raise ConfigError(
            f"hf-hub:{plan.repository} is {kinds[plan.state.private]}, not {kinds[private]}: change that in its "
            "settings on the Hub, or leave the option out"
        )


def _send(plan: Plan, private: bool | None) -> str:
    """Create the repository where it is new, and commit what differs; returns the commit."""
    state, changes = plan.state, plan.changes
    if state is None:
        create(plan.repository, bool(private))
        state = read_state(plan.repository)
        if state is None or state.private != bool(private) or changes_to(state, {}, ()).left:
            raise IntegrityError(
                f"hf-hub:{plan.repository} was created, but is not empty, cannot be read, or can be read by others "
                "than was asked for: nothing was sent"
            )
    if not changes:
        return state.tags.get(plan.version, state.head)
    return commit(plan.repository, plan.files, changes, state.head, f"{plan.name} {plan.version}")


def _read_back(plan: Plan, revision: str) -> float:
    """Download what was published into an empty cache, compare every byte, and verify it."""
    address = f"hf-hub:{plan.repository}@{revision}"
    with tempfile.TemporaryDirectory(prefix="zoo-push-") as cache:
        folder = download(address, Path(cache))
        fetched = {name: (folder / name).read_bytes() for name in plan.files if (folder / name).is_file()}
        for name, content in plan.files.items():
            # The one that loading does not need is compared by its id.
            is_same = fetched[name] == content if name in fetched else holds(plan.repository, revision, name, content)
            if not is_same:
                raise IntegrityError(f"{address} was sent, but its {name} is not what was sent: it is not tagged")
        return verify_folder(folder, address).difference
