"""Text from elsewhere, made safe to show on one line."""

import re

# C0, DEL and C1 drive the terminal; the bidi controls reorder what is read; the two separators
# break lines in str.splitlines(); a surrogate stands for a byte that is no UTF-8 and cannot be printed.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with each control character written out, such as `\x1b`, `\x0a` or `\u202e`.

    Covers C0, DEL and C1 controls, bidi controls, line and paragraph separators and lone surrogates.
    What it returns is one line, can be encoded as UTF-8, and is not changed by a second call.
    """
    return _HIDDEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
