"""A visitor's request to compare a video, and the upload that belongs to it."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """A visitor's own `path` to an upload; Gradio gives visitors with the same video one file."""

    upload: Path
    path: Path

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
        """Delete the file; other visitors with the same video have their own claims."""
        self.upload.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@dataclass
class Request:
    """A video in the queue or being read; its run checks at every step if it was cancelled."""

    claim: Claim
    model: str
    started: bool = False
    cancelled: bool = False
