"""Ray's own dashboard: opened in a browser if there is one, else copied as an address."""

import os
import shlex
from typing import Any

from textual.app import App

from cockpit.clients.address import DEFAULT_PORT
from cockpit.errors import UsageError
from cockpit.local.desktop import open_page, page_opener
from cockpit.operations.clusters.live import LiveCluster
from cockpit.render.text import visible


async def show_dashboard(app: App[Any], cluster: LiveCluster) -> None:
    """Open it, or copy its address; for a cluster behind a bastion, show how to reach it."""
    passage = cluster.endpoint.passage
    if passage is not None:
        address = cluster.endpoint.address
        host = f"[{address.host}]" if ":" in address.host else address.host
        command = f"ssh -N -L {DEFAULT_PORT}:{host}:{address.port} {shlex.quote(passage.through)}"
        here = f"{address.scheme}://localhost:{DEFAULT_PORT}{address.path}"
        _copy(app, command, f"It is behind {passage.through}; what was copied brings it to {here}:")
    elif app.is_web:
        app.open_url(cluster.address)
    elif (opener := page_opener(os.environ)) is not None:
        await _open(app, opener, cluster.address)
    else:
        _copy(app, cluster.address, "Copied")


async def _open(app: App[Any], opener: str, url: str) -> None:
    try:
        await open_page(opener, url)
    except UsageError as error:
        _copy(app, url, f"{error.title} ({error.detail}) Copied")
    else:
        app.notify(f"{url} opened in the browser.", markup=False)


def _copy(app: App[Any], text: str, sentence: str) -> None:
    app.copy_to_clipboard(text)
    app.notify(visible(f"{sentence} {text}"), markup=False)
