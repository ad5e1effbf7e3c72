"""A command of the user's that prints a secret, such as `pass show {name}`."""

import os
import shlex
import subprocess
from collections.abc import Mapping

import msgspec

from cockpit.errors import UsageError
from cockpit.model.child_environment import child_environment
from cockpit.model.secret import Secret

# Long enough for a passphrase that gpg-agent asks for.
PATIENCE_S = 60.0


class Answer(msgspec.Struct, frozen=True):
    """What the command gave: a value, or its own words on why there is none."""

    value: Secret | None = None
    words: str = ""


class SecretCommand:
    """Runs the command of `secret_command` for a name: without a shell, with nothing on its stdin."""

    def __init__(
        self, template: str, *, environment: Mapping[str, str] = os.environ, patience_s: float = PATIENCE_S
    ) -> None:
        """Raises UsageError where the template cannot be split into words or does not say `{name}`."""
        self._words = _split(template)
        self._environment = environment
        self._patience_s = patience_s

    @property
    def program(self) -> str:
        """The program alone: its arguments may hold secrets."""
        return self._words[0]

    def answer(self, name: str) -> Answer:
        """Run it. A command that fails or prints nothing does not know the name.

        Raises UsageError where it cannot be started, takes too long, or prints bytes that are not text.
        """
        words = [word.replace("{name}", name) for word in self._words]
        done = self._run(words)
        if done.returncode != 0:
            words_of_its_own = done.stderr.decode(errors="replace").strip()
            return Answer(words=words_of_its_own or f"{self.program} ended with {done.returncode}")
        value = _text(done.stdout, self.program)
        return Answer(value=Secret(value)) if value else Answer(words=f"{self.program} printed nothing")

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._patience_s,
                check=False,
                env=child_environment(self._environment),
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(
                f"secret_command ({self.program}) did not answer within {self._patience_s:g} s.",
                detail=(error.stderr or b"").decode(errors="replace"),
            ) from None
        except OSError as error:
            raise UsageError(
                f"secret_command ({self.program}) cannot be run.", detail=error.strerror or str(error)
            ) from None


def _split(template: str) -> list[str]:
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError("secret_command in config.toml cannot be split into words.", detail=str(error)) from None
    if not any("{name}" in word for word in words[1:]):
        raise UsageError(
            "secret_command in config.toml does not say where the name goes.",
            hint='Write for example: secret_command = "pass show {name}"',
        )
    return words


def _text(printed: bytes, program: str) -> str:
    try:
        text = printed.decode()
    except UnicodeDecodeError:
        raise UsageError(f"secret_command ({program}) printed bytes that are not valid UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")
