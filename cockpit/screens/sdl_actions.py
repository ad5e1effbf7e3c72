"""What is done with an SDL by a key and needs a question: files, fixes, groups, secrets."""

import asyncio
from pathlib import Path
from typing import Any

from cockpit.errors import UsageError
from cockpit.operations.clusters.opening import opener_for
from cockpit.operations.sdl_editor.check import plan_fixes
from cockpit.operations.sdl_editor.commands import meaning_record
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.panes.sdl import SdlPane
from cockpit.render.sdl import description, port_list
from cockpit.render.sdl_diagram import diagram
from cockpit.screens.cluster_actions import ClusterActions
from cockpit.screens.cluster_dialogs import NewCluster
from cockpit.screens.prompt import Prompt
from cockpit.screens.sdl_dialogs import DiffDialog, TemplateDialog, preview_width
from cockpit.screens.sdl_files import SdlFiles
from cockpit.screens.sdl_secrets import SdlSecrets
from cockpit.screens.sdl_wish import WishDialog
from cockpit.screens.start import CONTEXT
from cockpit.screens.text import TextDialog, room_for_text
from cockpit.screens.workspace import Workspace
from cockpit.sdl import rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.services import SERVICE_NAME, add_worker_group
from cockpit.sdl.templates import Template, all_templates


async def save(work: Workspace, pane: SdlPane) -> None:
    """Save the SDL."""
    await SdlFiles(work.app, pane).save()


async def save_as(work: Workspace, pane: SdlPane) -> None:
    """Save the SDL under another name."""
    await SdlFiles(work.app, pane).save_as()


async def open_file(work: Workspace, pane: SdlPane) -> None:
    """Open the recent file under the cursor, or ask for one."""
    row = pane.form.view.row
    is_recent = row is not None and row.field == "start" and bool(row.args[1:])
    await SdlFiles(work.app, pane).open(Path(str(row.args[1])) if row is not None and is_recent else None)


async def show_diff(work: Workspace, pane: SdlPane) -> None:
    """Show what saving would change."""
    await SdlFiles(work.app, pane).show_diff()


async def keep_secret(work: Workspace, pane: SdlPane) -> None:
    """Move the value under the cursor into the secret store."""
    await SdlSecrets(work.app, pane).keep(pane.form.view.row)


async def add_group(work: Workspace, pane: SdlPane) -> None:
    """Add a group of workers."""
    await _clone(work, pane, None)


async def clone_group(work: Workspace, pane: SdlPane) -> None:
    """Clone the service under the cursor."""
    await _clone(work, pane, pane.form.view.row)


async def new(work: Workspace, pane: SdlPane) -> None:
    """Begin a new SDL from a template, or by a description of it."""
    templates, previews = await asyncio.to_thread(_previewed, preview_width(work.app.size.width))
    begun = await work.app.push_screen_wait(TemplateDialog(templates, previews))
    if begun is None:
        return
    chosen, desk, files = begun.template, pane.desk, SdlFiles(work.app, pane)
    if begun.by_wish:
        stem = Path(desk.suggested_name).stem if desk.is_empty and desk.suggested_name else "lab"
        described = await work.app.push_screen_wait(WishDialog(chosen.name, stem, glyphs=pane.glyphs))
        if described is not None and await files.may_leave():
            await files.begin(described.text, f"{described.name}.yaml")
            work.app.notify(f"New file {described.name}.yaml. Press ctrl+s to save it.", markup=False)
        return
    if await files.may_leave():
        # The user named a file that does not exist yet: the template goes there.
        name = desk.suggested_name if desk.is_empty and desk.suggested_name else f"{chosen.name}.yaml"
        await files.begin(chosen.text, name)
        work.app.notify(f"New from {chosen.name}; ctrl+s names it.", markup=False)


async def fix_all(work: Workspace, pane: SdlPane) -> None:
    """Make all fixes, after a look at them."""
    desk = pane.desk
    version = desk.session.version
    plan = await asyncio.to_thread(plan_fixes, desk.session.text, desk.name)
    if not plan.done:
        work.app.notify("There is nothing that can be fixed without deciding something.", markup=False)
        return
    left = f"{plan.left} problems are left for you to decide." if plan.left else "Nothing is left then."
    count = f"{len(plan.done)} problem{'s' if len(plan.done) != 1 else ''}"
    dialog = DiffDialog(f"Fix {count}?", [*plan.done, "", *plan.diff], left)
    if await work.app.push_screen_wait(dialog) and version == desk.session.version:
        pane.replace(f"fix {count}", plan.text)


async def _clone(work: Workspace, pane: SdlPane, row: FormRow | None) -> None:
    found = pane.checked
    services = found.meaning.services if found is not None and found.meaning is not None else ()
    names = [one.name for one in services]
    under = row.key.partition(":")[0] if row is not None else ""
    workers = [one.name for one in services if one.role == "worker"] or names
    if not workers:
        raise UsageError("The SDL has no service to copy.", hint="ctrl+n begins with a template.")
    like = under if under in names else workers[-1]

    def check(name: str) -> None:
        if name in names:
            raise UsageError(f"{name} exists already.")
        if not SERVICE_NAME.fullmatch(name):
            raise UsageError("A name has lower-case letters, digits and hyphens, a letter first.")

    prompt = Prompt(f"Name of the new service, made like {like}", _free_name(like, names), check=check)
    name = await work.app.push_screen_wait(prompt)
    if name is not None:
        pane.go_to_row(f"{name}:")
        pane.edit(f"add {name}", lambda document: add_worker_group(document, like, name))


async def picture(work: Workspace, pane: SdlPane) -> None:
    """Show how the services connect."""
    desk = pane.desk
    lines = await asyncio.to_thread(_picture, desk.name, desk.session.text, room_for_text(work.app.size.width))
    work.app.push_screen(TextDialog(f"Connections in {desk.name}", [("", line or " ") for line in lines]))


async def add_cluster(work: Workspace, pane: SdlPane) -> None:
    """Name the cluster that runs this SDL, with the token and the certificate that the SDL refers to."""
    path = pane.desk.file.path
    if path is None:
        raise UsageError(
            "The SDL is not saved yet.",
            hint="Press ctrl+s to save it; its token and certificate are named after the file.",
        )
    added = await ClusterActions(work).add(NewCluster(name=path.stem, sdl=path))
    if added is not None:
        work.open_cluster(opener_for(CONTEXT, added.name))


def _free_name(like: str, names: list[str]) -> str:
    stem = like.rstrip("0123456789").rstrip("-") or like
    return next(name for number in range(2, 10_000) if (name := f"{stem}-{number}") not in names)


def _previewed(width: int) -> tuple[list[Template], list[list[str]]]:
    templates = all_templates()
    return templates, [_preview(one, width) for one in templates]


def _preview(template: Template, width: int) -> list[str]:
    document = SdlDocument(template.text)
    record = meaning_record(template.name, meaning_of(document), rules.lint(document))
    return [template.title, "", *description(record, width=width), "", *template.text.splitlines()]


def _picture(name: str, text: str, width: int) -> list[str]:
    document = SdlDocument(text)
    record: dict[str, Any] = meaning_record(name, meaning_of(document), rules.lint(document))
    return [*diagram(record["services"], width=width), "", *port_list(record["services"], width=width)]
