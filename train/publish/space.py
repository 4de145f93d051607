"""The app as a Hugging Face Space: its files, and how they are pushed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, SpaceCard, SpaceHardware
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id

from kpdemo.models import hub, pins
from kpdemo.models.hub_errors import HubError, reason
from train.publish.push import limit_timeout

ROOT = Path(__file__).parents[2]
README = "README.md"
# Without tests and what only the repository needs.
FILES = (
    "app.py",
    "kpdemo",
    "train",
    "weights",
    README,
    "LICENSE",
    "packages.txt",
    "pyproject.toml",
    "requirements.txt",
)
_INITIAL = {README, ".gitattributes"}  # the files of a new Space
_MARK = "kpdemo/__init__.py"  # a file that this program, and no other, has in its Space


def copy(folder: Path, namespace: str | None = None) -> None:
    """Write the files of a Space into an empty folder.

    The repositories that `kpdemo/models/pins.json` pins in the namespace become the Space's
    `models`, and their files are loaded when it is built (`preload_from_hub`).
    """
    for name in FILES:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.tmp")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder)
    if pins := _pins(namespace):
        card = SpaceCard.load(folder / README)
        card.data.models = list(pins)
        files = ",".join(hub.FILES)
        card.data.preload_from_hub = [
            f"{repo} {files} {pin.revision}" for repo, pin in pins.items()
        ]
        card.save(folder / README)


def push(repo: str, private: bool = False, hardware: str | None = None) -> tuple[str, bool]:
    """Create or update a Space in one commit, and let it pull the models pinned in its namespace.

    It runs on `hardware`, one of `SpaceHardware`, by default on what it has, or the Hub gives.

    Returns the commit that holds the files, and whether it is new. Files of the Space that this
    copy does not have are deleted; a Space with another program is refused. Raises HubError; an
    interrupted commit leaves the files as they were.
    """
    with hub_client(repo) as (api, namespace):
        before = prepare(api, repo, private, "gradio", _MARK, hardware)
        # Before the files, so that a failure here pushes nothing.
        if _pins(namespace) and _pulls_from(api, repo) != namespace:
            api.add_space_variable(repo, hub.VARIABLE, namespace)
        with tempfile.TemporaryDirectory(prefix="kpdemo-space-") as scratch:
            copy(Path(scratch), namespace)
            return upload(api, repo, Path(scratch), before, "the app and its weights")


@contextmanager
def hub_client(repo: str) -> Iterator[tuple[HfApi, str]]:
    """The Hub's client and the account of a Space; every failure becomes a HubError."""
    try:
        validate_repo_id(repo)
        namespace = repo.rpartition("/")[0]
        if not namespace:
            raise HubError(f"{repo!r} lacks the account; write NAME/SPACE.")
        hub.require_token()
        limit_timeout()
        yield HfApi(), namespace
    except HubError:
        raise
    except Exception as error:
        raise HubError(f"{repo} cannot be pushed: {reason(error)}.") from error


def upload(
    api: HfApi, repo: str, folder: Path, before: str | None, content: str
) -> tuple[str, bool]:
    """Make a folder the Space's files in one commit; returns it, and whether it is new."""
    commit = api.upload_folder(
        repo_id=repo,
        repo_type="space",
        folder_path=folder,
        commit_message=f"{repo.rpartition('/')[2]}: {content}",
        parent_commit=before,
        delete_patterns="*",
    ).oid
    return commit, commit != before


def prepare(
    api: HfApi, repo: str, private: bool, sdk: str, mark: str, hardware: str | None = None
) -> str | None:
    """The newest commit of the Space, which is created if it does not exist.

    HubError for a Space that has files, but not the one called `mark`.
    """
    try:
        info = api.space_info(repo, timeout=hub.TIMEOUT)
    except RepositoryNotFoundError:
        api.create_repo(
            repo,
            repo_type="space",
            space_sdk=sdk,
            space_hardware=SpaceHardware(hardware) if hardware else None,
            private=private or None,
        )
        info, hardware = api.space_info(repo, timeout=hub.TIMEOUT), None
    if private and not info.private:
        raise HubError(f"{repo} is public already, and nothing was pushed; make it private.")
    names = {sibling.rfilename for sibling in info.siblings or []}
    if names - _INITIAL and mark not in names:
        others = ", ".join(sorted(names - _INITIAL)[:3])
        raise HubError(
            f"{repo} cannot be pushed: the name is taken by a Space with another program in it "
            f"({others})."
        )
    if hardware:
        api.request_space_hardware(repo, SpaceHardware(hardware))
    return info.sha


def _pins(namespace: str | None) -> dict[str, pins.Pin]:
    start = f"{namespace}/{hub.PREFIX}"
    return {repo: pin for repo, pin in pins.read().items() if repo.startswith(start)}


def _pulls_from(api: HfApi, repo: str) -> str | None:
    variable = api.get_space_variables(repo).get(hub.VARIABLE)
    return variable.value if variable else None
