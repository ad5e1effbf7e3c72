"""Whatever prints, prints through a gate that no escape sequence passes."""

import base64
import io
import sys

import pytest

from cockpit.cli.output import SafeStream, prepare_streams
from cockpit.model.secret import Secret
from cockpit.secrets.failures import StoreUnavailableError
from tests.secrets.fakes import Keyring, system_keyring

HOSTILE = "a\x1b]52;c;cHdu\x07\x1b]0;T\x07\x1b[2J\x9b2J\x00\u202e\u200b\U000e0041z"


def test_lines_and_tabs_stay_and_nothing_else_is_obeyed() -> None:
    inner = io.StringIO()
    stream = SafeStream(inner)
    assert stream.write("one\n\ttwo\n") == 9
    stream.writelines([HOSTILE, "\n"])
    shown = inner.getvalue()
    assert shown.startswith("one\n\ttwo\na\\x1b]52;c;cHdu\\x07")
    assert not set(HOSTILE) - set("a]52;c;cHdu]0;T[2J2Jz") & set(shown)


def test_both_streams_pass_the_gate_once(capsys: pytest.CaptureFixture[str]) -> None:
    prepare_streams()
    prepare_streams()
    print(HOSTILE)
    print(HOSTILE, file=sys.stderr)
    said = capsys.readouterr()
    for shown in (said.out, said.err):
        assert shown.startswith("a\\x1b]52")
        assert "\x1b" not in shown


def test_what_a_keyring_backend_prints_is_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    prepare_streams()

    class Chatty(Keyring):
        def get_password(self, service: str, name: str) -> str | None:
            print("backend speaking")
            return "value"

        def set_password(self, service: str, name: str, value: str) -> None:
            raise ValueError(f"no room for {base64.b64encode(value.encode()).decode()}")

    store = system_keyring(Chatty())
    assert store.get("scope", "NAME") == Secret("value")
    said = capsys.readouterr()
    assert said.out == ""
    assert "backend speaking" in said.err
    with pytest.raises(StoreUnavailableError) as caught:
        store.put("scope", "NAME", Secret("hunter2hunter2"))
    assert "***" in caught.value.detail
    assert "aHVudGVyMmh1bnRlcjI" not in caught.value.detail
