"""What can go wrong between here and the Hugging Face Hub, in words."""

import httpx2
from huggingface_hub import get_token
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from kpdemo.models.model_folder import CheckpointError


class HubError(CheckpointError):
    """A repository that cannot be read or written; the message is one sentence that says why."""


class NoRepository(HubError):
    """A repository that does not exist, or not for this token."""


def reason(error: BaseException) -> str:
    """What went wrong between here and the Hub: the rest of a sentence, without the full stop."""
    specific = HfHubHTTPError | OfflineModeIsEnabled | httpx2.TransportError
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, specific):
        cause = cause.__cause__
    message = _reason(error if cause is None else cause)
    # In case a client's message quotes the request: the token must not reach a log.
    token = get_token()
    return message.replace(token, "…") if token else message


def _reason(error: BaseException) -> str:
    if isinstance(error, HfHubHTTPError):
        return _http_reason(error)
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE forbids to ask the Hub"
    if isinstance(error, httpx2.TimeoutException):
        return "the Hub did not answer in time"
    if isinstance(error, httpx2.ConnectError):
        return "the Hub could not be reached"
    if isinstance(error, httpx2.TransportError):
        return "the connection to the Hub broke off"
    if isinstance(error, HFValidationError):
        return "that is no name of a repository"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.filename or 'a file'} could not be read or written ({error.strerror})"
    return _line(str(error)) or type(error).__name__


def _http_reason(error: HfHubHTTPError) -> str:
    """The meaning of an HTTP error of the Hub, with the Hub's own message."""
    status = error.response.status_code
    detail = f" ({_line(error.server_message)})" if error.server_message else ""
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such revision"
    if isinstance(error, RemoteEntryNotFoundError):
        return f"the repository has no {error.response.url.path.rpartition('/')[2]}"
    if status == 401 and not isinstance(error, RepositoryNotFoundError):
        return f"the Hub does not accept the token, or wants one{detail}"
    if status in (401, 404):
        return "there is no such repository, or not for this token"
    if status in (402, 413):
        return f"the account's plan or quota does not include that{detail}"
    if status == 403:
        return f"this token, or its account, may not do that{detail}"
    if status in (409, 412):
        return f"somebody else changed it meanwhile{detail}"
    if status == 429:
        return f"the Hub is asked too often just now{detail}"
    if status >= 500:
        return f"the Hub has a fault of its own, {status}{detail}"
    return f"the Hub answered {status}{detail}"


def _line(text: str) -> str:
    """A message of several lines as a part of a sentence."""
    return " ".join(text.split())[:300].rstrip(". ")
