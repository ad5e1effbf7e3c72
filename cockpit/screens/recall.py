"""What the fields of the submit dialog can be filled with: saved jobs, samples of the gallery, earlier submissions."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App

from cockpit.errors import UsageError
from cockpit.operations import gallery
from cockpit.operations.background import aside
from cockpit.operations.jobs import saved, submissions
from cockpit.operations.jobs.fields import SubmitFields, fields_of, with_capacity
from cockpit.operations.jobs.job_file import load
from cockpit.operations.jobs.submissions import Submission
from cockpit.screens.choose import Choose
from cockpit.settings import data_directory, private_directory

SHOWN = 50
_WIDTH = 14


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """Texts for the fields, the names of variables whose values are not kept, and what is to be said."""

    fields: SubmitFields
    withheld: tuple[str, ...] = ()
    note: str = ""


class _Sources(msgspec.Struct, frozen=True):
    files: Sequence[Path]
    samples: Sequence[gallery.Sample]
    made: Sequence[Submission]


async def recall(app: App[Any]) -> Recalled | None:
    """Ask for one; None where none is wanted. Raises UsageError for what cannot be read."""
    sources = await aside(_sources)
    chosen = await app.push_screen_wait(Choose("Saved jobs, gallery and earlier submissions", _options(sources)))
    if chosen is None:
        return None
    kind, _, at = chosen.partition(":")
    if kind == "file":
        return await aside(lambda: from_file(sources.files[int(at)]))
    if kind == "sample":
        return await from_gallery(sources.samples[int(at)].name)
    return from_submission(sources.made[int(at)])


def _sources() -> _Sources:
    return _Sources(saved.job_files(), gallery.samples(), submissions.history()[:SHOWN])


def _options(found: _Sources) -> list[tuple[str, str]]:
    files = [(f"file:{at}", f"{'job file':{_WIDTH}}{path}") for at, path in enumerate(found.files)]
    made = [(f"made:{at}", _line(one)) for at, one in enumerate(found.made)]
    samples = [(f"sample:{at}", f"{'gallery':{_WIDTH}}{one.name}: {one.title}") for at, one in enumerate(found.samples)]
    return [*files, *made, *samples]


def _line(one: Submission) -> str:
    when = datetime.fromtimestamp(one.submitted_at)
    return f"{when:%m-%d %H:%M}   {one.form.entrypoint[:100]}   {one.form.working_dir or ''}"


def from_file(path: Path) -> Recalled:
    """The fields that a job file means. Raises UsageError."""
    read = load(path)
    return Recalled(fields=with_capacity(fields_of(read.form), read.wait_for))


def from_submission(one: Submission) -> Recalled:
    """The fields of an earlier submission: its directory is sent as it is today."""
    note = f"The value of {', '.join(one.withheld)} is not kept: fill it in." if one.withheld else ""
    return Recalled(fields=fields_of(one.form), withheld=one.withheld, note=note)


async def from_gallery(name: str) -> Recalled:
    """The fields of a sample, copied to where it can be edited. Raises UsageError where it cannot be written."""
    return await aside(lambda: _copied(name))


def _copied(name: str) -> Recalled:
    chosen = gallery.sample(name)
    directory = private_directory(data_directory() / "gallery") / chosen.name
    if not (directory / "job.yaml").is_file():
        gallery.copy(chosen.name, directory, force=True)
    form = gallery.form_of(chosen, directory)
    if form.working_dir is None:
        raise UsageError(f"The directory of sample {name} is missing.")
    note = " ".join(text for text in (f"Needs {chosen.needs}." if chosen.needs else "", _packages(chosen)) if text)
    return Recalled(fields=fields_of(form), note=note)


def _packages(chosen: gallery.Sample) -> str:
    return gallery.installation(chosen).partition(" With an image")[0]
