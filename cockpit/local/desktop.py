"""The browser of the terminal's desktop, if any."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping

from cockpit.errors import UsageError
from cockpit.model.child_environment import child_environment

PATIENCE_S = 5.0


def page_opener(environment: Mapping[str, str], *, platform: str = sys.platform) -> str | None:
    """The program that opens a page in a browser; None over ssh, without a display, and where it is not installed.

    Not what `webbrowser` finds: that may be w3m, in the terminal which is ours.
    """
    if "SSH_CONNECTION" in environment:
        return None
    if platform == "darwin":
        return shutil.which("open", path=environment.get("PATH"))
    has_display = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return shutil.which("xdg-open", path=environment.get("PATH")) if has_display else None


async def open_page(opener: str, url: str) -> None:
    """Have the page opened; a browser that is started for it may go on for hours, and is not waited for.

    Raises UsageError where that fails at once.
    """
    nowhere = asyncio.subprocess.DEVNULL
    try:
        # A session of its own: it outlives us, and what it prints is not for our screen.
        process = await asyncio.create_subprocess_exec(
            opener,
            url,
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
            env=child_environment(),
        )
    except OSError as error:
        raise _failed(opener, error.strerror or str(error)) from None
    try:
        async with asyncio.timeout(PATIENCE_S):
            code = await process.wait()
    except TimeoutError:
        return
    if code != 0:
        raise _failed(opener, f"exit code {code}")


def _failed(opener: str, detail: str) -> UsageError:
    return UsageError("No browser could be opened.", detail=f"{os.path.basename(opener)}: {detail}")
