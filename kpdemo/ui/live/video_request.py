"""A visitor's request to compare a video, and the upload that belongs to it."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Claim:
    """A visitor's own `path` to an upload; Gradio gives visitors with the same video one file.

    It is `taken` once the visitor asked for the comparison.
    """

    upload: Path
    path: Path
    taken: bool = False

    @classmethod
    def of(cls, upload: Path) -> "Claim":
        path = upload.with_name(secrets.token_hex() + upload.suffix)
        with suppress(FileNotFoundError):  # reported when the video is read
            os.link(upload, path)
        return cls(upload, path)

    def renew(self) -> None:
        """Set the file's time to now, so that it is not deleted while it waits in the queue."""
        with suppress(FileNotFoundError):
            os.utime(self.path)

    def delete(self) -> None:
        """Delete the file, but not the same video that another visitor uploaded since.

        Gradio puts that in the place of the first one, where it waits for a claim of its own.
        """
        with suppress(FileNotFoundError):
            if self.path.samefile(self.upload):
                self.upload.unlink()
        self.path.unlink(missing_ok=True)


@dataclass
class Request:
    """A video in the queue or being read; its run checks at every step if it was cancelled.

    Every `every`-th frame is compared, and the film shows `steady` points or the models' own.
    `ended` is when no run of it will change the page any more.
    """

    claim: Claim
    models: tuple[str, ...]
    every: int = 1
    steady: bool = True
    started: bool = False
    cancelled: bool = False
    ended: bool = False
