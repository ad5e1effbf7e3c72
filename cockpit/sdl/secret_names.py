"""Which env variables hold secrets, by their names and values."""

import re

REFERENCE = "ac-secret://"

# The names that Ray on Akash is used with: True where the value is a secret.
KNOWN: dict[str, bool] = {
    "AWS_ACCESS_KEY_ID": True,
    "AWS_SECRET_ACCESS_KEY": True,
    "AWS_DEFAULT_REGION": False,
    "R2_BUCKET_URL": False,
    "S3_ENDPOINT_URL": False,
    "B2_APPLICATION_KEY_ID": True,
    "B2_APPLICATION_KEY": True,
    "MINIO_ACCESS_KEY": True,
    "MINIO_SECRET_KEY": True,
    "WANDB_API_KEY": True,
    "WANDB_PROJECT": False,
    "HF_TOKEN": True,
    "RAY_AUTH_TOKEN": True,
    "RAY_AUTH_MODE": False,
    "RAY_ADDRESS_HOST": False,
}

_SECRET = re.compile(
    r"(?:^|_)(?:[A-Z0-9]*KEY|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|MNEMONIC|SEED_PHRASE)"
    r"(?:_(?:ID|BASE64|B64|HEX|[0-9]+))?$"
)
_HARMLESS = re.compile(r"(?:PUBLIC|PUB|SSH_AUTHORIZED|CACHE|PRIMARY|FOREIGN|SORT|PARTITION|DISPLAY)_?KEYS?$|^SSH_PUB")


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name is likely to hold a secret."""
    upper = name.upper()
    if upper in KNOWN:
        return KNOWN[upper]
    return bool(_SECRET.search(upper)) and not _HARMLESS.search(upper)


def is_plain_secret(name: str, value: str) -> bool:
    """Whether a secret stands in plain text: not empty, not a reference, not a mere variable or placeholder."""
    if not is_secret_name(name) or not value.strip().strip("\"'"):
        return False
    if value.startswith(REFERENCE) or re.fullmatch(r"\$[({]?\w+[)}]?|<[^>]*>|\{\{[^}]*\}\}", value.strip()):
        return False
    return value.strip().lower() not in ("true", "false", "none", "null", "0", "1", "changeme")
