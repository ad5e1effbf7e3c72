"""The SDL templates: files in `sdl/` of a checkout, which a wheel carries inside the package."""

from pathlib import Path

import msgspec

from cockpit.errors import UsageError

_PACKAGE = Path(__file__).parents[1]
# In a wheel, and in a checkout or an editable installation.
_FOLDERS = (_PACKAGE / "data" / "sdl", _PACKAGE.parent / "sdl")


class Template(msgspec.Struct, frozen=True):
    """An SDL to begin with; `title` is the sentence at its top."""

    name: str
    title: str
    text: str


def all_templates() -> list[Template]:
    """Every template, by name. Raises UsageError where the installation lacks them."""
    return [_read(path) for path in sorted(_folder().glob("*.yaml"), key=lambda path: path.stem)]


def template_named(name: str) -> Template:
    """The template of that name. Raises UsageError, with the names there are."""
    path = next((path for path in _folder().glob("*.yaml") if path.stem == name), None)
    if path is None:
        names = ", ".join(template.name for template in all_templates())
        raise UsageError(f"No template named {name!r}.", hint=f"Templates: {names}.")
    return _read(path)


def _folder() -> Path:
    for folder in _FOLDERS:
        if folder.is_dir():
            return folder
    raise UsageError("The templates are missing from this installation.", hint="Reinstall rayakash-tui.")


def _read(path: Path) -> Template:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The template {path} cannot be read.", detail=error.strerror or str(error)) from error
    title = next((line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")), path.stem)
    return Template(path.stem, title, text)
