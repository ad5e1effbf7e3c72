"""What is done with an SDL by a key and needs a question: files, fixes, groups, secrets."""

import asyncio
from pathlib import Path
from typing import Any

from textual.app import App

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.check import plan_fixes
from cockpit.operations.sdl_editor.commands import meaning_record
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.panes.requests import ClusterChosen
from cockpit.panes.sdl import SdlPane
from cockpit.render.sdl import description, port_list
from cockpit.render.sdl_diagram import diagram
from cockpit.screens.cluster_actions import ClusterActions
from cockpit.screens.cluster_dialogs import NewCluster
from cockpit.screens.sdl_dialogs import DiffDialog, Prompt, TemplateDialog, preview_width
from cockpit.screens.sdl_files import SdlFiles
from cockpit.screens.sdl_secrets import SdlSecrets
from cockpit.screens.sdl_wish import WishDialog
from cockpit.screens.start import CONTEXT
from cockpit.screens.text import TextDialog, room_for_text
from cockpit.sdl import rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.services import SERVICE_NAME, add_worker_group
from cockpit.sdl.templates import Template, all_templates


class SdlActions:
    """Acts on the SDL of one pane; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, app: App[int], pane: SdlPane) -> None:
        self._app = app
        self._pane = pane
        self.files = SdlFiles(app, pane)
        self.secrets = SdlSecrets(app, pane)

    async def do(self, name: str, row: FormRow | None) -> None:
        """Do what was asked for by its name."""
        match name:
            case "sdl_save":
                await self.files.save()
            case "sdl_save_as":
                await self.files.save_as()
            case "sdl_open":
                await self.files.open(Path(str(row.args[1])) if row and row.field == "start" and row.args[1:] else None)
            case "sdl_pasted":
                await self.files.take_pasted()
            case "sdl_new":
                await self._new()
            case "sdl_diff":
                await self.files.show_diff()
            case "fix_all":
                await self._fix_all()
            case "add_group" | "clone_group":
                await self._clone(row if name == "clone_group" else None)
            case "keep_secret":
                await self.secrets.keep(row)
            case "picture":
                await self._picture()
            case "sdl_add_cluster":
                await self._add_cluster()

    async def _new(self) -> None:
        templates, previews = await asyncio.to_thread(_previewed, preview_width(self._app.size.width))
        begun = await self._app.push_screen_wait(TemplateDialog(templates, previews))
        if begun is None:
            return
        chosen, desk = begun.template, self._pane.desk
        if begun.by_wish:
            stem = Path(desk.suggested_name).stem if desk.is_empty and desk.suggested_name else "lab"
            described = await self._app.push_screen_wait(WishDialog(chosen.name, stem))
            if described is not None and await self.files.may_leave():
                await self.files.begin(described.text, f"{described.name}.yaml")
                self._app.notify(f"New file {described.name}.yaml. Press ctrl+s to save it.", markup=False)
            return
        if await self.files.may_leave():
            # Whoever named a file that is not there yet wants the template in it.
            name = desk.suggested_name if desk.is_empty and desk.suggested_name else f"{chosen.name}.yaml"
            await self.files.begin(chosen.text, name)
            self._app.notify(f"New from {chosen.name}; ctrl+s names it.", markup=False)

    async def _fix_all(self) -> None:
        desk = self._pane.desk
        version = desk.session.version
        plan = await asyncio.to_thread(plan_fixes, desk.session.text, desk.name)
        if not plan.done:
            self._app.notify("There is nothing that can be fixed without deciding something.", markup=False)
            return
        left = f"{plan.left} problems are left for you to decide." if plan.left else "Nothing is left then."
        count = f"{len(plan.done)} problem{'s' if len(plan.done) != 1 else ''}"
        dialog = DiffDialog(f"Fix {count}?", [*plan.done, "", *plan.diff], left)
        if await self._app.push_screen_wait(dialog) and version == desk.session.version:
            self._pane.replace(f"fix {count}", plan.text)

    async def _clone(self, row: FormRow | None) -> None:
        found = self._pane.checked
        services = found.meaning.services if found is not None and found.meaning is not None else ()
        names = [one.name for one in services]
        under = row.key.partition(":")[0] if row is not None else ""
        workers = [one.name for one in services if one.role == "worker"] or names
        if not workers:
            raise UsageError("There is no service to begin with.", hint="ctrl+n begins with a template.")
        like = under if under in names else workers[-1]

        def check(name: str) -> None:
            if name in names:
                raise UsageError(f"{name} exists already.")
            if not SERVICE_NAME.fullmatch(name):
                raise UsageError("A name has lower-case letters, digits and hyphens, a letter first.")

        prompt = Prompt(f"Name of the new service, made like {like}", _free_name(like, names), check=check)
        name = await self._app.push_screen_wait(prompt)
        if name is not None:
            self._pane.go_to_row(f"{name}:")
            self._pane.edit(f"add {name}", lambda document: add_worker_group(document, like, name))

    async def _picture(self) -> None:
        desk = self._pane.desk
        lines = await asyncio.to_thread(_picture, desk.name, desk.session.text, room_for_text(self._app.size.width))
        self._app.push_screen(TextDialog(f"Who reaches whom in {desk.name}", [("", line or " ") for line in lines]))

    async def _add_cluster(self) -> None:
        """Name the cluster that runs this SDL, with the token and the certificate that the SDL refers to."""
        path = self._pane.desk.file.path
        if path is None:
            raise UsageError("The SDL has no name yet.", hint="ctrl+s gives it one; token and certificate go by it.")
        actions = ClusterActions(self._app)
        added = await actions.add(NewCluster(name=path.stem, sdl=path))
        if added is not None:
            self._app.post_message(ClusterChosen(CONTEXT, added.name))


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
