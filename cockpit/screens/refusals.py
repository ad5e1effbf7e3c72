"""Noticing that the cluster on the screen has begun to turn us away."""

from typing import Any

from textual.app import App

from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.question import Ask


class Refusals:
    """Which refusal was told, so that each is asked about once."""

    def __init__(self) -> None:
        self._told: tuple[int, str] | None = None

    def forget(self) -> None:
        """Tell again what is still refused."""
        self._told = None

    def look(self, app: App[Any], cluster: LiveCluster | None, ask: Ask) -> None:
        """Ask what is to be done where the cluster has begun to turn us away."""
        from cockpit.operations.clusters.renewal import refusal_of  # no first frame waits for it

        error = refusal_of(cluster) if cluster is not None else None
        now = None if error is None else (id(cluster), error.title)
        told, self._told = self._told, now
        if error is not None and cluster is not None and now != told:
            from cockpit.screens.cluster_actions import ClusterActions  # brings all of its dialogs

            work = ClusterActions(app).refused(cluster, error, ask)
            app.run_worker(work, group="refusals", exclusive=True, exit_on_error=False)
