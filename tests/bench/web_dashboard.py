"""What the pages of Ray's web dashboard ask for while they are open (dashboard/client/src, 2.60)."""

from typing import NamedTuple

MINUTE = 60.0
# API_REFRESH_INTERVAL_MS, PER_JOB_PAGE_REFRESH_INTERVAL_MS, and the datasets of a job.
USUAL_S, JOB_TABLES_S, DATASETS_S = 4.0, 10.0, 5.0


class Poll(NamedTuple):
    """A path, where `{job}` stands for a job ID, and the seconds between two requests."""

    path: str
    seconds: float = USUAL_S


JOB = "filter_keys=job_id&filter_predicates=%3D&filter_values={job}"
# The app itself, whatever page is open: it renews its map of nodes (App.tsx).
APP = Poll("/nodes?view=summary")
PAGES: dict[str, tuple[Poll, ...]] = {
    "job": (
        APP,
        Poll("/api/jobs/{job}"),
        Poll("/api/v0/tasks/summarize?" + JOB),
        Poll("/api/v0/tasks?detail=1&limit=10000&" + JOB, JOB_TABLES_S),
        Poll("/logical/actors", JOB_TABLES_S),
        Poll("/api/v0/placement_groups?detail=1&limit=10000&" + JOB, JOB_TABLES_S),
        Poll("/api/cluster_status?format=1"),
        Poll("/api/data/datasets/{job}", DATASETS_S),
    ),
    "actors": (APP, Poll("/logical/actors", JOB_TABLES_S)),
    "serve": (APP, Poll("/api/serve/applications/")),
    "cluster": (APP, Poll("/nodes?view=summary")),
    "platform events": (APP, Poll("/api/v0/platform_events")),
}
# Train and Tune have no page: what there is of them is on that of their job.
PAGE_OF = {
    "actors": "actors",
    "tasks": "job",
    "placement_groups": "job",
    "workers": "cluster",
    "events": "platform events",
    "serve": "serve",
    "train": "job",
    "tune": "job",
    "data": "job",
    "job page": "job",
}
# The page of events tells nothing of actors that died: those are on the page of actors.
BYTES_OF = PAGE_OF | {"events": "actors"}


def requests_a_minute(page: str) -> float:
    """How often a page asks."""
    return sum(MINUTE / poll.seconds for poll in PAGES[page])
