"""httpx without its command line; imported by the first request, since it takes as long as all else of a start.

httpx imports its own command line when click is installed, and with it click, rich and pygments: 0.3 s of a start that
takes 0.1 s otherwise. With the name taken httpx goes on without.
"""

import sys

if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
import httpx as httpx

if sys.modules.get("httpx._main", False) is None:
    del sys.modules["httpx._main"]
