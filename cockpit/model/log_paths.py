"""Names of log files as Ray's API returns them."""


def below_logs(path: str) -> str:
    """The name of a file below Ray's folder of logs: some answers hold the whole path, or begin with a slash."""
    return path.rpartition("/logs/")[2].lstrip("/")
