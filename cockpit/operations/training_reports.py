"""The last report of each worker of Ray Train, from the worker's own log."""

from collections.abc import Iterable

from cockpit.clients.ray import RayClient
from cockpit.model.log_paths import below_logs
from cockpit.model.train import TrainRun
from cockpit.model.training_reports import Report, last_report
from cockpit.operations.logs.tails import last_lines

MOST_LOGS = 16  # a request of a few milliseconds each
LINES = 60  # a report among what the program prints


async def reports_of(client: RayClient, runs: Iterable[TrainRun]) -> dict[str, Report]:
    """Reports by the path of the log; of the newest runs, and the first ranks of each, where they are many."""
    workers = [worker for run in runs for worker in run.workers if worker.log_file_path and worker.node_id]
    found: dict[str, Report] = {}
    for worker in workers[:MOST_LOGS]:
        path = worker.log_file_path or ""
        lines = await last_lines(client, worker.node_id or "", below_logs(path), lines=LINES)
        if (report := last_report(lines)) is not None:
            found[path] = report
    return found
