"""Whether the Ray node in this container is well, by its own agent; the exit code tells."""

import sys
import urllib.error
import urllib.request

AGENT_PORT = 8079  # --dashboard-agent-listen-port of the start scripts

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{AGENT_PORT}/api/local_raylet_healthz", timeout=5) as answer:
        print(answer.read(200).decode(errors="replace"))
except (OSError, urllib.error.URLError) as error:
    sys.exit(f"the node's agent does not answer: {error}")
