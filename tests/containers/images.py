"""The images that the templates name: pulled, or made here with the same Ray, Python and tools where they cannot be."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.templates import template_named

_TEMPLATE = SdlDocument(template_named("ray-cpu").text)
RAY_IMAGE = str(_TEMPLATE.get("services.ray-head.image"))
GATEWAY_IMAGE = str(_TEMPLATE.get("services.gateway.image"))
RAY = RAY_IMAGE.partition(":")[2].partition("-")[0]
SUITE, PYTHON = "bookworm", "3.11"
PACKAGES = ("python3", "python3-pip", "sudo", "curl", "iproute2", "procps", "ca-certificates")
KEY = hashlib.sha256(repr((SUITE, PYTHON, PACKAGES, RAY, platform.machine(), 2)).encode()).hexdigest()[:12]
# Not in the home of the tests, which is a new one each time.
CACHE = Path(os.environ.get("RAYAKASH_CONTAINER_CACHE") or Path.home() / ".cache" / "rayakash-tui-containers")

_LAUNCHER = "#!/usr/bin/python3\nimport sys\nfrom ray.scripts.scripts import main\nsys.exit(main())\n"
_LABEL = "rayakash.test"


class Podman:
    """podman with the settings of the tests."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str, check: bool = True, seconds: float = 600, stdin: str = "") -> str:
        """What it wrote to both streams."""
        done = subprocess.run(
            ["podman", *arguments],
            env=self.environment, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=seconds, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"podman {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def has(self, image: str) -> bool:
        """Whether the image is here."""
        command = ["podman", "image", "inspect", "--format", "{{.Id}}", image]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0


def provide(podman: Podman) -> None:
    """Have every image that a template names."""
    ray = RAY_IMAGE
    if not podman.has(ray) and not _pull(podman, ray):
        _make_ray(podman, ray)
    podman("tag", ray, f"{ray}-gpu")  # GPUs are left out here, and so is what only they need
    gateway = GATEWAY_IMAGE
    if not podman.has(gateway) and not _pull(podman, gateway):
        _make_gateway(podman, ray, gateway)


def _pull(podman: Podman, image: str) -> bool:
    podman("pull", "--quiet", f"docker://{image}", check=False)
    return podman.has(image)


# --- Ray -------------------------------------------------------------------------------------------------------------


def _make_ray(podman: Podman, image: str) -> None:
    """A Debian with Ray and a user of that name, as the stock image has them (facts: its Dockerfile)."""
    archive = CACHE / f"ray-{KEY}.tar"
    if not archive.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            root = Path(folder) / "root"
            _bootstrap(root)
            _install_ray(root)
            draft = Path(folder) / "draft.tar"
            _command("tar", "-C", str(root), "-cf", str(draft), ".")
            draft.replace(archive)
    podman(
        "import", "--change", "USER ray", "--change", "WORKDIR /home/ray", "--change", "ENV HOME=/home/ray",
        "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin", "--change", f"LABEL {_LABEL}={KEY}", str(archive), image,
    )  # fmt: skip


def _bootstrap(root: Path) -> None:
    mirror = next(_mirrors(), None)
    assert mirror is not None, "the apt sources of this machine name no Debian mirror"
    _command("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), mirror)
    for path in root.glob("var/cache/apt/archives/*.deb"):
        path.unlink()
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    _command("chroot", str(root), "useradd", "--create-home", "--gid", "users", "--shell", "/bin/bash", "ray")


def _mirrors() -> Iterator[str]:
    """The mirrors that apt uses here for this release of Debian."""
    folder = Path("/etc/apt")
    for path in sorted([*folder.glob("sources.list"), *folder.glob("sources.list.d/*")]):
        text = path.read_text(errors="replace")
        for stanza in re.split(r"\n\s*\n", text):
            found = re.search(r"^URIs:\s*(\S+)", stanza, re.MULTILINE)
            if found and re.search(rf"^Suites:.*\b{SUITE}(\s|$)", stanza, re.MULTILINE):
                yield found[1]
        yield from re.findall(rf"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+{SUITE}\s", text, re.MULTILINE)


def _install_ray(root: Path) -> None:
    machine = platform.machine()
    platforms = [f"manylinux{version}_{machine}" for version in ("2014", "_2_17", "_2_28", "_2_34")]
    _command(
        sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--python-version", PYTHON,
        "--implementation", "cp", *(part for name in platforms for part in ("--platform", name)),
        "--target", str(root / f"usr/local/lib/python{PYTHON}/dist-packages"), f"ray[default]=={RAY}",
    )  # fmt: skip
    launcher = root / "usr/local/bin/ray"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)


# --- the gateway -----------------------------------------------------------------------------------------------------


def _make_gateway(podman: Podman, base: str, image: str) -> None:
    """Debian's Caddy under the name of the stock image; it is older, so what it does the stock one does too."""
    with tempfile.TemporaryDirectory() as folder:
        _command(
            "sh",
            "-c",
            "apt-get -q download caddy || { apt-get -q update && apt-get -q download caddy; }",
            folder=folder,
        )
        package = next(Path(folder).glob("caddy_*.deb"))
        _command("dpkg-deb", "--extract", str(package), folder)
        text = (
            f"FROM {base}\nUSER root\nWORKDIR /srv\nCOPY usr/bin/caddy /usr/bin/caddy\nLABEL {_LABEL}={package.name}\n"
        )
        Path(folder, "Dockerfile").write_text(text)
        podman("build", "--quiet", "--isolation", "chroot", "--tag", image, folder)


def _command(*command: str, folder: str | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}"


def derived(podman: Podman, base: str, image: str, *steps: str) -> str:
    """An image with further steps of a Dockerfile; returns its name."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text("\n".join([f"FROM {base}", *steps, ""]))
        podman("build", "--quiet", "--isolation", "chroot", "--tag", image, folder)
    return image
