"""Secrets under harmless names: known by their shape, withheld from drafts and diffs, noticed and moved."""

import pytest

from cockpit.model.secret_values import holds_secret, secret_parts
from cockpit.operations.secrets.sdl_import import planned
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.masking import masked_lines, masked_text
from cockpit.sdl.rules import problems

LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
SHAPES = {
    "postgres://user:hunter2x@host/db": "hunter2x",
    "redis://:hunter2x@h": "hunter2x",
    f"hf_{LETTERS}": f"hf_{LETTERS}",
    f"ghp_{LETTERS}": f"ghp_{LETTERS}",
    f"gho_{LETTERS}": f"gho_{LETTERS}",
    f"github_pat_{LETTERS}": f"github_pat_{LETTERS}",
    "AKIA" + "Q7X2" * 4: "AKIA" + "Q7X2" * 4,
    "ASIA" + "Q7X2" * 4: "ASIA" + "Q7X2" * 4,
    "xoxb-" + "123456789012-abcdef": "xoxb-123456789012-abcdef",
    "xoxp-" + "123456789012-abcdef": "xoxp-123456789012-abcdef",
    f"sk-{LETTERS}": f"sk-{LETTERS}",
    f"sk-proj-{LETTERS}": f"sk-proj-{LETTERS}",
    "https://hooks.slack.com/services/" + "T0000000/B0000000/abcdefgh12345678": "T0000000/B0000000/abcdefgh12345678",
    '{"password": "hunter2x"}': "hunter2x",
    "serve --token=hunter2x": "hunter2x",
    "serve --password hunter2x": "hunter2x",
    "Authorization: Bearer hunter2x": "hunter2x",
    "mysql -u root -phunter2x db": "hunter2x",
    f"401 for Bearer {LETTERS}": LETTERS,
}
HARMLESS = (
    "", "https://example.com:8080/a@b", "http://h:80", "postgres://u:$PW@h", "postgres://u:${PW}@h", "postgres://u@h",
    "postgres://u:ac-secret://PW@h", "redis://:<password>@h", "serve --token $TOKEN", "serve --token=${TOKEN}",
    "serve --password-file /run/secret", "--token-limit 4096000", "Authorization: Bearer $TOKEN", "mysql -p db",
    "mysql -h db -P 3306", "sk-learn", "scikit-learn", "sk-this-is-a-long-name-of-words", "hf_home",
    "task-runner-with-a-long-name-1", "Bearer authentication-is-required",
    '{"password": "${PW}"}', "ac-secret://HF", "AKIAEXAMPLE", "ghp_short", "git@github.com:owner/name.git",
)  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_each_shape_gives_the_secret_itself(text: str) -> None:
    assert {text[start:end] for start, end in secret_parts(text)} == {SHAPES[text]}


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_values_are_none(text: str) -> None:
    assert not holds_secret(text)


@pytest.mark.parametrize("text", [text for text in SHAPES if text[0] != "{"])
def test_under_a_harmless_name_it_is_treated_as_a_named_secret(text: str) -> None:
    secret = SHAPES[text]
    document = SdlDocument(f"services:\n  web:\n    image: nginx:1.27\n    env:\n      - 'STUFF={text}'\n")
    assert [problem.line for problem in problems(document) if problem.code == "plain-secret"] == [5]
    assert secret not in masked_text(document)
    assert secret not in "\n".join(masked_lines(document.text))
    assert [move.name for move in planned(document)] == ["STUFF"]


@pytest.mark.parametrize("text", [text for text in SHAPES if text[0] != "{"])
def test_a_command_keeps_its_words_and_loses_the_secret(text: str) -> None:
    secret = SHAPES[text]
    command = f"    command: ['sh', '-c', 'run {text} on']\n"
    document = SdlDocument(f"services:\n  web:\n    image: nginx:1.27\n{command}")
    assert [problem.line for problem in problems(document) if problem.code == "plain-secret"] == [4]
    for shown in (masked_text(document), "\n".join(masked_lines(document.text))):
        assert secret not in shown
        assert "'sh', '-c', 'run " in shown
        assert " on'" in shown or "--token=" in text  # `NAME=value` is withheld to the end of its line
