"""Put the start scripts of this folder into the templates, which carry them in `args`; run by `make scripts`."""

from pathlib import Path

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import save_document

HERE = Path(__file__).parent
SCRIPTS = {"gateway": "start-gateway.sh", "ray-head": "start-head.sh", "ray-worker": "start-worker.sh"}


def main() -> None:
    """Write every template anew whose text differs."""
    for path in sorted((HERE.parent / "sdl").glob("*.yaml")):
        document = SdlDocument(path.read_text(encoding="utf-8"))
        before = document.text
        for service, name in SCRIPTS.items():
            document.set(("services", service, "args", 0), (HERE / name).read_text(encoding="utf-8"))
        if document.text != before:
            save_document(path, document)


if __name__ == "__main__":
    main()
