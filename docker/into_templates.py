"""Write the templates anew from their wishes and the start scripts of this folder; run by `make scripts`."""

from pathlib import Path

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import save_document
from cockpit.sdl.wish import PRESETS, written

FOLDER = Path(__file__).parents[1] / "sdl"


def main() -> None:
    """Write every template whose text differs."""
    for name, wish in PRESETS.items():
        path = FOLDER / f"{name}.yaml"
        text = written(wish).text
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            save_document(path, SdlDocument(text))


if __name__ == "__main__":
    main()
