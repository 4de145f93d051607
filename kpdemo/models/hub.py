"""Weights on the Hugging Face Hub: one repository a model, `NAME/kpdemo-MODEL`.

Files lie in the cache of the Hub's own client (`HF_HOME`), and are used only if their checksums
are those that the Hub states and, where `pins.json` pins the model, the one written there.
"""

import hashlib
import math
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    ModelInfo,
    get_token,
    hf_hub_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id
from huggingface_hub.utils.sha import git_hash

from kpdemo.models import model_folder, pins
from kpdemo.models.hub_errors import HubError, NoRepository, reason

VARIABLE = "KPDEMO_HUB"  # the namespace that the app pulls from
PREFIX = "kpdemo-"
FILES = (model_folder.CONFIG, model_folder.WEIGHTS)
# Pulled where a repository has them; a model works without.
RECORDS = (model_folder.HISTORY, model_folder.METRICS)
MAX_BYTES = 500_000_000  # of a model's files
MAIN = "main"
TIMEOUT = 10.0  # seconds for one answer of the Hub
COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class PulledFiles:
    """A model's files in the cache. `stale` says why they may not be the newest ones."""

    repository: str
    folder: Path
    stale: str | None = None

    @property
    def origin(self) -> str:
        """Where the weights came from, for people."""
        return f"{self.repository} at {self.folder.name[:7]} (Hugging Face Hub)"


def repository(namespace: str, model: str) -> str:
    """The repository's id of a model, `NAME/kpdemo-MODEL`."""
    return f"{namespace}/{PREFIX}{model}"


def model_name(repo: str) -> str:
    """The model's name that a repository's id tells."""
    return repo.rpartition("/")[2].removeprefix(PREFIX)


def fetch(
    repo: str, revision: str | None = None, announce: Callable[[int], object] | None = None
) -> PulledFiles:
    """Get a repository's config and weights into the cache, and check them.

    `revision` is a branch, tag or commit; by default the pinned one, else `main`. A cached commit
    is not requested again. If the Hub cannot be reached, older files in the cache are used.
    `announce`, if given, is called with the number of bytes before they are downloaded. Raises
    HubError if there are none, none that are valid, or more than `MAX_BYTES`, and NoRepository if
    the Hub has no such repository.
    """
    try:
        validate_repo_id(repo)
        pin = pins.read().get(repo) if revision is None else None
        target = pin.revision if pin else revision or MAIN
        folder, stale = _cached(repo, target), None
        if folder is None or not COMMIT.fullmatch(target):
            try:
                folder = _download(repo, target, announce)
            except Exception as error:
                if folder is None:
                    raise
                stale = reason(error)
        for name in FILES:
            _repair(repo, folder / name)
        if pin and (checksum := sha256(folder / model_folder.WEIGHTS)) != pin.sha256:
            raise HubError(
                f"{model_folder.WEIGHTS} of {repo} is refused: its sha256 begins with "
                f"{checksum[:8]}, and {pins.FILE.name} has {pin.sha256[:8]}."
            )
    except HubError:
        raise
    except Exception as error:
        # Not its child, for a repository whose terms must be accepted first.
        kind = NoRepository if type(error) is RepositoryNotFoundError else HubError
        raise kind(f"{repo} cannot be pulled: {reason(error)}.") from error
    return PulledFiles(repo, folder, stale)


def _cached(repo: str, revision: str) -> Path | None:
    """The folder of a revision in the cache, if both files are in it."""
    folders = [
        Path(path).parent
        for name in FILES
        if isinstance(path := try_to_load_from_cache(repo, name, revision=revision), str)
    ]
    return folders[0] if len(folders) == len(FILES) else None


def _download(repo: str, revision: str, announce: Callable[[int], object] | None) -> Path:
    # Not retried, unlike downloads, which would try for half a minute.
    info = HfApi().model_info(repo, revision=revision, timeout=TIMEOUT, files_metadata=True)
    commit = info.sha
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    names = [*FILES, *(name for name in RECORDS if name in sizes)]
    new = [n for n in names if try_to_load_from_cache(repo, n, revision=commit) is None]
    size = sum(sizes.get(name, 0) for name in new)
    if size > MAX_BYTES:
        raise HubError(
            f"{repo} is refused: it is {size / 1e6:,.0f} MB, and models of up to "
            f"{MAX_BYTES // 1_000_000} MB are pulled."
        )
    if size and announce is not None:
        announce(size)
    for name in FILES:
        path = hf_hub_download(repo, name, revision=commit, etag_timeout=TIMEOUT)
    if revision != commit:
        # Only now that all files are cached may the cache resolve the branch to the commit.
        hf_hub_download(repo, model_folder.CONFIG, revision=revision, etag_timeout=TIMEOUT)
    for name in names[len(FILES) :]:
        with suppress(Exception):  # for the curves and the leaderboard alone
            hf_hub_download(repo, name, revision=commit, etag_timeout=TIMEOUT)
    return Path(path).parent


def _repair(repo: str, path: Path) -> None:
    """Download a file of the cache again if it is damaged."""
    if not _damaged(path):
        return
    try:
        hf_hub_download(
            repo, path.name, revision=path.parent.name, etag_timeout=TIMEOUT, force_download=True
        )
    except Exception as error:
        raise HubError(
            f"{path.name} of {repo} is damaged in the cache and cannot be replaced: "
            f"{reason(error)}."
        ) from error
    if _damaged(path):
        raise HubError(
            f"{path.name} of {repo} is refused: what the Hub sends does not have the checksum "
            "that the Hub states."
        )


def _damaged(path: Path) -> bool:
    """Whether a cached file is not what its name says.

    The cache keeps a file under the checksum that the Hub stated for it: a sha256, or git's
    checksum for small files. Where the file system has no links, names say nothing.
    """
    stated = path.resolve().name
    if re.fullmatch("[0-9a-f]{64}", stated):
        return sha256(path) != stated
    return bool(COMMIT.fullmatch(stated)) and git_hash(path.read_bytes()) != stated


def sha256(file: Path | bytes) -> str:
    """The checksum of a file, or of bytes, in hexadecimal."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    return hashlib.sha256(content).hexdigest()


def pull(
    namespace: str, models: Collection[str], timeout: float = math.inf
) -> tuple[dict[str, PulledFiles], dict[str, HubError]]:
    """Fetch models of a namespace at once: the files, and the errors of the others, by model.

    After `timeout` seconds the rest comes from the cache, or is an error; downloads go on in the
    background as long as the program runs, for the next start.
    """
    arrived: dict[str, PulledFiles] = {}
    failed: dict[str, HubError] = {}

    def one(name: str) -> None:
        try:
            arrived[name] = fetch(repository(namespace, name))
        except HubError as error:
            failed[name] = error

    # Daemons, and no pool: nothing must wait for a slow Hub, the program's end included.
    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in models]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(min(max(0.0, end - time.monotonic()), threading.TIMEOUT_MAX))
    # Copies: threads that are late still write into the originals.
    pulled, errors = dict(arrived), dict(failed)
    for name in models:
        if name not in pulled and name not in errors:
            try:
                pulled[name] = _from_cache(repository(namespace, name), timeout)
            except HubError as error:
                errors[name] = error
    return pulled, errors


def _from_cache(repo: str, timeout: float) -> PulledFiles:
    """The cached files of a repository that did not answer in time; HubError if incomplete."""
    folder = _cached(repo, MAIN)
    # A pinned one would have come from the cache at once.
    if folder is None or repo in pins.read() or any(_damaged(folder / name) for name in FILES):
        raise HubError(f"{repo} had not arrived after {timeout:g} s.")
    return PulledFiles(repo, folder, "the Hub did not answer in time")


def upload(
    repo: str, files: Mapping[str, bytes], private: bool = False, branch: str = MAIN
) -> tuple[str, bool]:
    """Put a model's files in a repository, which is made if need be, in one commit.

    Returns the commit that holds them, and whether it is new: where all files are the same
    already, nothing is sent. Raises HubError; the repository is then what it was before.
    """
    try:
        validate_repo_id(repo)
        require_token()
        api = HfApi()
        state = _branch_info(api, repo, private, branch)
        if private and not state.private:
            raise HubError(f"{repo} is public already, and nothing was pushed; make it private.")
        sums = {
            sibling.rfilename: sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
            for sibling in state.siblings or []
        }
        others = set(sums) - {".gitattributes", "LICENSE", *files}
        if others and model_folder.WEIGHTS not in sums:
            raise HubError(
                f"{repo} cannot be pushed: the name is taken by a repository with other things "
                f"in it ({', '.join(sorted(others)[:3])})."
            )
        changed = {
            name: content
            for name, content in files.items()
            if sums.get(name) not in (sha256(content), git_hash(content))
        }
        if not changed:
            return str(state.sha), False
        commit = api.create_commit(
            repo,
            [CommitOperationAdd(name, content) for name, content in changed.items()],
            commit_message=f"{model_name(repo)}: {', '.join(changed)}",
            revision=branch,
            parent_commit=state.sha,
        )
        return commit.oid, True
    except HubError:
        raise
    except Exception as error:
        raise HubError(f"{repo} cannot be pushed: {reason(error)}.") from error


def require_token() -> None:
    """HubError where nobody is logged in to the Hub."""
    if get_token() is None:
        raise HubError(
            "There is no token for the Hub: log in with `hf auth login`, or set HF_TOKEN."
        )


def _branch_info(api: HfApi, repo: str, private: bool, branch: str) -> ModelInfo:
    """What is in a repository's branch; both are made if they are not there."""
    ask = partial(api.model_info, repo, revision=branch, files_metadata=True, timeout=TIMEOUT)
    try:
        return ask()
    except RepositoryNotFoundError:
        try:
            api.create_repo(repo, private=private or None)
        except HfHubHTTPError as error:
            if error.response.status_code != 409:
                raise
            raise HubError(
                f"{repo} cannot be pushed: the name is taken by a repository that this token may "
                "not see."
            ) from error
    except RevisionNotFoundError:
        pass
    if branch != MAIN:
        api.create_branch(repo, branch=branch, exist_ok=True)
    return ask()
