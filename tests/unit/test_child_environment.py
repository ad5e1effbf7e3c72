"""No program that we start inherits what lets anyone into a cluster or an account."""

import ast
import sys
from pathlib import Path

import pytest

import cockpit
from cockpit.local.containers.engine import Engine
from cockpit.local.desktop import open_page
from cockpit.model.child_environment import child_environment
from cockpit.secrets.command import SecretCommand

CREDENTIALS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAYAKASH_SECRET_X", "RAYAKASH_VAULT_PASSPHRASE",
               "AKASH_KEY_NAME", "AKASH_CONSOLE_API_KEY", "AKT_CONSOLE_API_KEY")  # fmt: skip
STARTERS = ("run", "Popen", "create_subprocess_exec", "create_subprocess_shell", "check_output", "call")
# Without credentials already: the supervisor of a local Ray and what it starts, and the keeper of ssh.
INSIDE = ("local/supervisor.py", "local/teardown.py", "clients/ssh/keeper.py")


def test_credentials_are_left_out_and_the_rest_stays() -> None:
    given = {"PATH": "/bin", "SSH_AUTH_SOCK": "/s", "RAY_ADDRESS": "h", **dict.fromkeys(CREDENTIALS, "hush")}
    assert child_environment(given) == {"PATH": "/bin", "SSH_AUTH_SOCK": "/s", "RAY_ADDRESS": "h"}


async def test_no_child_sees_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.setenv(name, "canary")
    told = tmp_path / "told"
    script = tmp_path / "program"
    script.write_text(
        f"#!{sys.executable}\nimport os\nprint(dict(os.environ))\nopen({str(told)!r}, 'w').write(repr(os.environ))"
    )
    script.chmod(0o700)
    await open_page(str(script), "http://h/")
    engine = Engine(name="podman", path=str(script))
    answer = SecretCommand(f"{script} {{name}}").answer("NAME").value
    assert answer is not None
    for seen in (told.read_text(), engine.run("info"), *engine.log("x", 1), answer.reveal()):
        assert "PATH" in seen
        assert "canary" not in seen


def test_every_program_is_started_with_an_environment_of_its_own() -> None:
    root = Path(cockpit.__file__).parent
    seen, bare = 0, []
    for path in root.rglob("*.py"):
        if str(path.relative_to(root)) in INSIDE or "gallery" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and _starts_a_program(node.func):
                seen += 1
                if all(one.arg != "env" for one in node.keywords):
                    bare.append(f"{path.relative_to(root)}:{node.lineno}")
    assert seen > 5
    assert bare == []


def _starts_a_program(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in STARTERS
        and isinstance(called.value, ast.Name)
        and called.value.id in ("subprocess", "asyncio")
        and not (called.value.id == "asyncio" and called.attr == "run")
    )
