"""One Ray dashboard: `RayClient(…).jobs.list()` and the like, a group of calls per file."""

from cockpit.clients.ray.client import RayClient as RayClient
