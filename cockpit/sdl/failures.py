"""What can go wrong with the text of an SDL, said with the line where it does."""

from cockpit.errors import UsageError


class SdlError(UsageError):
    """An SDL that cannot be read or an edit that cannot be made; `line` and `column` count from 1."""

    def __init__(
        self, title: str, *, line: int | None = None, column: int | None = None, detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(title, detail=detail, hint=hint)
        self.line = line
        self.column = column


class UnreadableSdlError(SdlError):
    """The text is not one YAML tree of a size that an SDL can have."""


class MissingNodeError(SdlError):
    """The path that was asked for names nothing in the document."""


class UnsafeEditError(SdlError):
    """The edit would change more than it was asked to; nothing was changed."""
