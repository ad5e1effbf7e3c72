"""Tokens made here, commands of the user's, and the names that are known."""

from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.model.env_names import KNOWN, is_secret_looking, purpose_of
from cockpit.model.secret import Secret
from cockpit.secrets import values
from cockpit.secrets.command import SecretCommand
from cockpit.secrets.environment import names_in
from cockpit.settings import config_file, load_settings


@pytest.mark.parametrize("length", [32, 43, 512])
def test_a_token(length: int) -> None:
    made = {values.generated(length).reveal() for _ in range(200)}
    assert len(made) == 200
    for token in made:
        assert len(token) == length
        assert token.isascii()
        assert token[0].isalnum()
        assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_a_token_never_looks_like_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["ac-" + "x" * 60, "-" + "x" * 60, "_" + "x" * 60, "a" * 60])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(made))
    assert values.generated().reveal() == "a" * 43


@pytest.mark.parametrize("length", [-1, 0, 31, 513])
def test_lengths_that_are_refused(length: int) -> None:
    with pytest.raises(UsageError):
        values.generated(length)


def test_advice_on_a_token_that_the_start_commands_refuse() -> None:
    assert values.advice_on("RAY_AUTH_TOKEN", Secret("short"))
    assert values.advice_on("RAY_AUTH_TOKEN", Secret("ac-" + "x" * 40))
    assert values.advice_on("RAY_AUTH_TOKEN", values.generated()) is None
    assert values.advice_on("WANDB_API_KEY", Secret("short")) is None


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("printf %s {name}", "NAME"),
        ("printf 'two words {name}\\n'", "two words NAME"),
        ("printf 'a\\nb\\n\\n%s' {name}", "a\nb\n\nNAME"),
        ("printf '%s\\r\\n' {name}", "NAME"),
        ("echo $HOME;{name}|cat", "$HOME;NAME|cat"),
    ],
)
def test_a_command_runs_without_a_shell(template: str, value: str) -> None:
    assert SecretCommand(template).answer("NAME").value == Secret(value)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("sh -c 'echo canary; echo not in the store >&2; exit 1' {name}", "not in the store"),
        ("sh -c 'exit 3' {name}", "sh ended with 3"),
        ("true {name}", "true printed nothing"),
        ("sh -c 'cat' {name}", "sh printed nothing"),
    ],
)
def test_a_command_without_a_value_says_why(template: str, words: str) -> None:
    answer = SecretCommand(template).answer("NAME")
    assert answer.value is None
    assert answer.words == words


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("/no/such/program {name}", "cannot be run"),
        ("printf '\\377%s' {name}", "not valid UTF-8"),
        ("sh -c 'exec sleep 600' {name}", "did not answer"),
    ],
)
def test_a_command_that_is_broken_is_an_error(template: str, title: str) -> None:
    with pytest.raises(UsageError, match=title):
        SecretCommand(template, patience_s=0.1 if "sleep" in template else 60).answer("NAME")


@pytest.mark.parametrize("template", ["pass show", "'{name}", "{name}", ""])
def test_a_template_that_is_no_command(template: str) -> None:
    with pytest.raises(UsageError, match="secret_command"):
        SecretCommand(template)


def test_a_command_gets_no_secrets_of_ours() -> None:
    environment = {"PATH": "/usr/bin:/bin", "RAYAKASH_SECRET_A": "canary", "RAYAKASH_VAULT_PASSPHRASE": "canary"}
    answer = SecretCommand("sh -c env {name}", environment=environment).answer("NAME")
    assert answer.value is not None
    assert "canary" not in answer.value.reveal()


def test_the_environment() -> None:
    assert names_in({"RAYAKASH_SECRET_B": "x", "RAYAKASH_SECRET_A": "y", "RAYAKASH_SECRET_": "z", "C": "w"}) == [
        "A",
        "B",
    ]


def test_the_setting() -> None:
    path = config_file()
    path.parent.mkdir(parents=True)
    path.write_text('secret_command = "pass show {name}"\n[contexts]\n')
    assert load_settings().secret_command == "pass show {name}"
    assert load_settings().problems == ()
    path.write_text('secret_command = ["pass"]\ncontexts = 3\n')
    found = load_settings()
    assert found.secret_command is None
    assert len(found.problems) == 2


SEEDS = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION R2_BUCKET_URL S3_ENDPOINT_URL B2_APPLICATION_KEY_ID "
    "B2_APPLICATION_KEY MINIO_ACCESS_KEY MINIO_SECRET_KEY WANDB_API_KEY WANDB_PROJECT HF_TOKEN RAY_AUTH_TOKEN "
    "RAY_ADDRESS_HOST"
)


def test_the_known_names() -> None:
    assert set(SEEDS.split()) <= set(KNOWN)
    for name, known in KNOWN.items():
        assert known.name == name
        assert known.purpose.endswith(".")
        assert is_secret_looking(name) == known.is_secret
    assert purpose_of("HF_TOKEN")
    assert purpose_of("SOMETHING") is None


SECRET = """
    POSTGRES_PASSWORD PASSWORD FARMERKEY OPENAI_API_KEY OPENAI_API_KEYS NODEKEY RLN_RELAY_CRED_PASSWORD
    RLN_RELAY_CRED_BASE64 PRIVATE_KEY PGRST_JWT_SECRET API_KEY DAEMON_PASS my_root_password
    database__connection__password
    TW_ACCESS_TOKEN_SECRET TELEGRAM_BOT_TOKEN SUPABASE_SERVICE_KEY POOL_WALLET_SEED PASS NITRO_AUTH_SALT NEO4J_AUTH
    MNEMONIC_BASE64 LITELLM_SALT_KEY HUGGING_FACE_HUB_TOKEN FILEBASE_ACCESS_KEY_ID BACKUP_PASSPHRASE DB_PWD GITHUB_PAT
    wandbApiKey SD_WEBUI_AUTH API_TOKENS SEED_PHRASE AWS_SESSION_TOKEN GOOGLE_CREDENTIALS_JSON api-key
"""
PLAIN = """
    ALLOW_EMPTY_PASSWORD MYSQL_RANDOM_ROOT_PASSWORD MAX_NEW_TOKENS MAX_INPUT_TOKEN_LENGTH KEYBOARD SSH_PUBKEY
    N8N_SECURE_COOKIE GOTRUE_JWT_EXP BASIC_AUTH_USER OG_PASSTHROUGH SMART_TOKEN_LIMIT XMPP_AUTH_DOMAIN BASE_URL
    PHOENIX_ENABLE_STRONG_PASSWORD_POLICY RAD_SEEDS RANDOM_SEED SEED SSH_PUBLIC_KEY AUTHORIZED_KEYS COMPASS BYPASS
    MONKEY TOKENIZER EOS_TOKEN NUM_TOKENS PASSWORD_FILE TOKEN_PATH SECRET_NAME NEXTAUTH_URL PRIMARY_KEY RAY_AUTH_MODE
    KMS_KEY_ID AUTHOR KEY_NAME
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_names_that_look_secret(name: str) -> None:
    assert is_secret_looking(name)


@pytest.mark.parametrize("name", PLAIN.split())
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_looking(name)


def test_a_name_is_looked_at_quickly() -> None:
    assert not is_secret_looking("_" * 100_000 + "X")


def test_no_module_of_names_needs_another() -> None:
    source = (Path(__file__).parents[2] / "cockpit" / "model" / "env_names.py").read_text()
    assert "cockpit" not in source
