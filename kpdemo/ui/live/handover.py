"""Files on their way to the one visitor who asked for them: in memory, for a moment, once."""

import secrets
import threading
from base64 import b64encode
from collections.abc import Mapping

# A page fetches its files as soon as it has the ticket; what is not fetched by then is dropped.
_SECONDS = 60.0


class Handover:
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
        """The files in base64, and forget them; None if there are none under that ticket."""
        files = self._waiting.pop(ticket, None)
        return files and {name: b64encode(data).decode() for name, data in files.items()}
