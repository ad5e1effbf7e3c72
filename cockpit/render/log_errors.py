"""What in a log is an error: levels of the usual loggers and of Ray's own, tracebacks, and deaths."""

from cockpit.render.log_query import Case, Query

# `[2026-01-01 12:00:00,123 E 4711 4711] file.cc:12:` is Ray's C++ side, `E0101 12:00:00` glog's.
_FORMS = (
    r"\b(?:ERROR|CRITICAL|FATAL)\b",
    r"Traceback \(most recent call last\)",
    r"^(?:\(\w[^)]*\) )?[\w.]*(?:Error|Exception|Interrupt)\b",
    r"\d [EFC] \d+ \d+\] ",
    r"^[EF]\d\d\d\d \d\d:",
    r'"level(?:name)?": ?"(?:error|critical|fatal)"',
    r"\b(?:Segmentation fault|core dumped|out of memory|OOMKilled|panic:|exit code [1-9])",
)

ERRORS = Query("|".join(_FORMS), is_regex=True, case=Case.EXACT)
