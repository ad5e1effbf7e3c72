"""The pre-flight report of an upload as lines of text; names are made safe for a terminal."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from cockpit.model.uploads import (
    Excluded,
    Reason,
    SecretKind,
    SourceKind,
    UploadPlan,
    UploadProgress,
    UploadResult,
    UploadStage,
)
from cockpit.render.text import visible
from cockpit.render.units import size

_SHOWN = 10
_NO_DIRECTORY = {SourceKind.ARCHIVE: "an archive", SourceKind.REMOTE: "a URI"}


def report(plan: UploadPlan) -> list[str]:
    """The whole report: summary, what stays behind, warnings."""
    return [summary(plan), *excluded(plan), *warnings(plan)]


def summary(plan: UploadPlan) -> str:
    """One line such as `214 files, 3.1 MiB (0.9 MiB zipped), biggest data/vocab.json 1.2 MiB`."""
    if plan.kind is SourceKind.REMOTE:
        return _remote(plan.uri)
    if plan.file_count is None:
        return f"archive {visible(plan.source)}, {size(plan.zip_bytes)}"
    parts = [_count(plan.file_count, "file"), size(plan.total_bytes) + _zipped(plan)]
    if plan.biggest and plan.file_count > 1:
        parts.append(f"biggest {visible(plan.biggest[0].path)} {size(plan.biggest[0].size)}")
    return ", ".join(parts)


def biggest(plan: UploadPlan) -> list[str]:
    """The biggest files, a line each, sizes aligned."""
    return [f"{size(file.size):>10}  {visible(file.path)}" for file in plan.biggest]


def excluded(plan: UploadPlan) -> list[str]:
    """What stays behind, largest first, such as `excluded .git 812.0 MiB (default)`; unknown sizes lead."""
    order = sorted(plan.excluded, key=lambda one: (one.size is not None, -(one.size or 0), one.path))
    lines = [f"excluded {visible(one.path)} {size(one.size)} ({_reason(one)})" for one in order[:_SHOWN]]
    if len(order) > _SHOWN:
        lines.append(f"excluded {len(order) - _SHOWN} more")
    return lines


def warnings(plan: UploadPlan) -> list[str]:
    """What a user should know before sending, each line opened by `warning: `."""
    found = [
        _empty(plan),
        _secrets(plan),
        _outside(plan),
        _left_out(plan),
        _dropped(plan),
        _ignored_excludes(plan),
    ]
    return [f"warning: {text}" for text in found if text]


def result(done: UploadResult) -> str:
    """How the upload ended, in a few words."""
    if not done.uri.lower().startswith("gcs://"):
        return _remote(done.uri)
    if done.already_there:
        return f"already on the cluster: {address(done.uri)}"
    return f"sent {size(done.zip_bytes)}: {address(done.uri)}"


def progress(event: UploadProgress) -> str:
    """What is going on, such as `packing 3.1 MiB of 40.0 MiB`."""
    match event.stage:
        case UploadStage.CHECKING:
            return "asking whether the cluster has it"
        case UploadStage.PACKING:
            return f"packing {size(event.done)} of {size(event.total)}"
        case UploadStage.SENDING:
            return f"sending {size(event.total)}"
        case UploadStage.DONE:
            return "done"


def address(uri: str) -> str:
    """A URI without user name, password, query and fragment, which may be secrets."""
    parts = urlsplit(uri)
    return visible(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _remote(uri: str) -> str:
    shown = address(uri)
    match shown.partition("://")[0]:
        case "gcs":
            return f"a package on the cluster: {shown}"
        case "local":
            return f"taken from each node: {shown}"
        case _:
            return f"the cluster fetches {shown} by itself"


def _zipped(plan: UploadPlan) -> str:
    return "" if plan.zip_bytes is None else f" ({size(plan.zip_bytes)} zipped)"


def _reason(one: Excluded) -> str:
    if one.reason is Reason.DEFAULT:
        return one.reason.value
    return f"{visible(one.origin) or one.reason.value}: {visible(one.pattern)}"


def _empty(plan: UploadPlan) -> str:
    if plan.kind is not SourceKind.DIRECTORY or plan.file_count != 0:
        return ""
    whole = next((one for one in plan.excluded if one.path == "."), None)
    if whole is None:
        return "no file goes with it: the job starts in an empty directory"
    return f"nothing goes with it: Ray applies a pattern to the whole directory ({_reason(whole)})"


def _secrets(plan: UploadPlan) -> str:
    if not plan.secrets:
        return ""
    kinds = [one.kind for one in plan.secrets]
    counts = [_count(kinds.count(kind), kind.value) for kind in SecretKind if kind in kinds]
    verb = "goes" if len(kinds) == 1 else "go"
    return f"{' and '.join(counts)} {verb} with it: {_names([one.path for one in plan.secrets])}"


def _outside(plan: UploadPlan) -> str:
    paths = plan.outside_links
    if not paths:
        return ""
    verb = "leads" if len(paths) == 1 else "lead"
    return f"{_count(len(paths), 'link')} {verb} out of the directory, and what is there goes with it: {_names(paths)}"


def _left_out(plan: UploadPlan) -> str:
    if not plan.left_out:
        return ""
    names = _names([f"{one.path} ({one.kind})" for one in plan.left_out])
    return f"left out, since Ray packs files only: {names}"


def _dropped(plan: UploadPlan) -> str:
    if not plan.dropped:
        return ""
    return f"Ray loses names with a backslash or a drive's colon on the cluster: {_names(plan.dropped)}"


def _ignored_excludes(plan: UploadPlan) -> str:
    return f"excludes have no effect on {_NO_DIRECTORY[plan.kind]}" if plan.ignored_excludes else ""


def _names(paths: Sequence[str]) -> str:
    names = ", ".join(visible(path) for path in paths[:_SHOWN])
    return names if len(paths) <= _SHOWN else f"{names} and {len(paths) - _SHOWN} more"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
