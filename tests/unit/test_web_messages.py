"""What a page sends to the cockpit in a browser: malformed messages are passed over."""

import pytest

from cockpit.cli.cockpit import concluded
from cockpit.local.browser import is_well_formed


@pytest.mark.parametrize(
    "text",
    [
        '["stdin", "q"]',
        '["stdin", ""]',
        '["resize", {"width": 80, "height": 24}]',
        '["ping", 1]',
        '["blur"]',
        '["focus"]',
    ],
)
def test_messages_of_the_page_pass(text: str) -> None:
    assert is_well_formed(text)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[[]]", '["stdin"]', '["stdin", 1]', '["stdin", "\\ud800"]', '["resize", {}]', '["ping"]',
     '["resize", {"width": "80", "height": 24}]', '["resize", {"width": 80, "height": 99999999}]', "[" * 100_000,
     '["resize", {"width": 0, "height": 24}]', '["other", 1]', "not json"],
)  # fmt: skip
def test_anything_else_is_passed_over(text: str) -> None:
    assert not is_well_formed(text)


def test_a_closed_page_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert concluded(None) == 0
    assert "ended early" in capsys.readouterr().err
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    assert concluded(None) == 0
    assert capsys.readouterr().err == ""
