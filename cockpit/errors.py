"""The closed family of errors that a user may meet, and the exit code that each one means.

    CockpitError             1  the thing asked about failed
    ├── NotFoundError        1  no such job, node, log file
    ├── RejectedError        1  Ray refused the request; `detail` holds its words
    │   └── PaymentError     1  the account cannot pay for it
    ├── JobLostError         1  the cluster restarted and has forgotten the job
    ├── UsageError           2  wrong arguments, unreadable or unwritable file, bad configuration
    │   └── LocalRayError    2  the embedded Ray cannot be started on this machine
    ├── UnreachableError     3  no answer, or too late; worth a retry
    │   ├── NotRayError      3  something answered, but it is not a Ray dashboard
    │   └── ServerError      3  Ray answered that it could not do its work
    ├── UntrustedError       4  the other side did not prove to be the cluster; nothing was sent
    ├── AuthenticationError  4  401 or 403
    └── OutcomeUnknownError  5  something that costs may have happened; look before doing it again

`title` is one sentence for the user, `detail` is the other side's own text, `hint` is the next step, and `fault` a word
for programs where several faults share a class.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_AUTHENTICATION = 4
EXIT_UNKNOWN = 5
EXIT_INTERRUPTED = 130


class CockpitError(Exception):
    """A failure with a message for the user."""

    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, title: str, *, detail: str = "", hint: str = "", fault: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.hint = hint
        self.fault = fault


class NotFoundError(CockpitError):
    """The named job, node or log does not exist on the cluster."""


class RejectedError(CockpitError):
    """Ray understood the request and refused it."""


class PaymentError(RejectedError):
    """The account has not enough money, or may not spend it on this (402)."""


class JobLostError(CockpitError):
    """The head was restarted and no longer knows the job."""


class UsageError(CockpitError):
    """Wrong arguments, an unreadable or unwritable file, or bad configuration."""

    exit_code = EXIT_USAGE


class LocalRayError(UsageError):
    """The embedded Ray cannot run on this machine."""


class UnreachableError(CockpitError):
    """The cluster did not answer, or not in time; `was_sent` is False where nothing of the request can have arrived.

    `retry_after_s` is the wait that the other side asked for, in seconds.
    """

    exit_code = EXIT_UNREACHABLE
    was_sent = True
    retry_after_s: float | None = None


class NotRayError(UnreachableError):
    """Something answered that is not a Ray dashboard."""


class ServerError(UnreachableError):
    """Ray answered that it could not do its work just now."""


class UntrustedError(CockpitError):
    """What answers did not prove to be the cluster: its certificate is not trusted, or another than before.

    `found` is the fingerprint of a certificate that came in the place of a pinned one.
    """

    exit_code = EXIT_AUTHENTICATION
    found: str | None = None


class AuthenticationError(CockpitError):
    """The token is missing (401) or wrong (403)."""

    exit_code = EXIT_AUTHENTICATION

    def __init__(self, title: str, *, status: int, detail: str = "", hint: str = "", fault: str = "") -> None:
        super().__init__(title, detail=detail, hint=hint, fault=fault)
        self.status = status


class OutcomeUnknownError(CockpitError):
    """Whether a request was carried out is not known; it may cost money."""

    exit_code = EXIT_UNKNOWN


def without_frames(error: CockpitError) -> CockpitError:
    """The error to keep: without the frames that it came through, which hold the reply that it is about."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
