"""Files for the one visitor who requested them: in memory, briefly, fetched once."""

import secrets
import threading
from base64 import b64encode
from collections.abc import Mapping

_SECONDS = 60.0  # after which files that no page has fetched are dropped


class OneTimeFiles:
    """Bytes by name behind tickets that cannot be guessed.

    A component's value would stay in the visitor's session for as long as that lasts, and a file
    in Gradio's cache on the disk for minutes.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Mapping[str, bytes]] = {}

    def leave(self, files: Mapping[str, bytes]) -> str:
        """Keep the files for a while; returns the ticket for `take`."""
        ticket = secrets.token_urlsafe()
        self._waiting[ticket] = files
        expiry = threading.Timer(_SECONDS, self._waiting.pop, (ticket, None))
        expiry.daemon = True
        expiry.start()
        return ticket

    def take(self, ticket: str) -> dict[str, str] | None:
        """The files in base64, removed from here; None if the ticket has none."""
        files = self._waiting.pop(ticket, None)
        if files is None:
            return None
        return {name: b64encode(data).decode() for name, data in files.items()}
