"""Environment variables of Ray on Akash: which hold secrets, what they are for, and how a secret's name looks."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class EnvName(msgspec.Struct, frozen=True):
    """A variable that is known: whether its value is a secret, and one sentence on what it is for."""

    name: str
    is_secret: bool
    purpose: str


# A key ID is not a secret by itself, but it is useless without its other half, leaks with it and is renewed with it.
_NAMES = (
    EnvName("AWS_ACCESS_KEY_ID", True, "Names the key pair for S3, or for a store that speaks S3."),
    EnvName("AWS_SECRET_ACCESS_KEY", True, "The secret half of the key pair for S3, or for a store that speaks S3."),
    EnvName("AWS_DEFAULT_REGION", False, "The region of the S3 bucket, such as us-east-1."),
    EnvName("R2_BUCKET_URL", False, "The address of the Cloudflare R2 bucket."),
    EnvName("S3_ENDPOINT_URL", False, "The address of a store that speaks S3 but is not Amazon's."),
    EnvName("AWS_ENDPOINT_URL_S3", False, "The address of a store that speaks S3, for boto3, s3fs and pyarrow."),
    EnvName("FSSPEC_S3_ENDPOINT_URL", False, "The address of a store that speaks S3, for fsspec."),
    EnvName("B2_APPLICATION_KEY_ID", True, "Names the application key for Backblaze B2."),
    EnvName("B2_APPLICATION_KEY", True, "The application key for Backblaze B2."),
    EnvName("MINIO_ACCESS_KEY", True, "The user of the MinIO store."),
    EnvName("MINIO_SECRET_KEY", True, "The password of the MinIO store."),
    EnvName("WANDB_API_KEY", True, "Lets training runs report to Weights & Biases."),
    EnvName("WANDB_PROJECT", False, "The Weights & Biases project that runs are reported to."),
    EnvName("HF_TOKEN", True, "Downloads gated models and data sets from Hugging Face."),
    EnvName("RAY_AUTH_TOKEN", True, "Opens the Ray cluster: anyone who has it can run commands on every node."),
    EnvName("RAY_AUTH_MODE", False, "Must be exactly `token`; with a typo Ray runs open."),
    EnvName("GATEWAY_TLS_CERTIFICATE", False, "The certificate of the gateway in front of the cluster, base64 of PEM."),
    EnvName("GATEWAY_TLS_KEY", True, "The key of that certificate, base64 of PEM."),
    EnvName("RAY_ADDRESS_HOST", False, "The name under which workers reach the head."),
    EnvName("RAY_SERVE_DEFAULT_HTTP_HOST", False, "0.0.0.0 lets the gateway reach Ray Serve."),
    EnvName("RAYAKASH_ALLOW_NO_AUTH", False, "1 lets a cluster start without a token, for a network of your own."),
)

KNOWN: Mapping[str, EnvName] = MappingProxyType({known.name: known for known in _NAMES})

# Others give these out: one that is made up opens nothing.
_ISSUED = frozenset(
    (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY", "WANDB_API_KEY",
        "HF_TOKEN",
    )
)  # fmt: skip

_SECRET_ENDINGS = re.compile(
    r"(?:^|_)(?:PASS|PWD|PW|PAT|AUTH|JWT|CREDS?|CREDENTIALS?|SALT|MNEMONIC|KEYS"
    r"|(?:API|AUTH|ACCESS|BOT|SECRET|BEARER|REFRESH)_?TOKENS"
    r"|(?:WALLET|MASTER|PRIVATE|MNEMONIC)_?SEED|SEED_?PHRASE)$"
    r"|(?:PASSWORD|PASSWD|PASSPHRASE|SECRETS?|TOKEN|KEY)$"
)
_KEY_ID = re.compile(r"(?:ACCESS|APPLICATION|API|SECRET)_?KEY_?ID$")
_ENCODING = re.compile(r"_(?:BASE64|B64|HEX|JSON|[0-9]+)$")
_HARMLESS_ENDINGS = re.compile(
    r"(?:PUBLIC|PUB|AUTHORIZED|CACHE|PRIMARY|FOREIGN|SORT|PARTITION|DISPLAY|HOT|MON|TUR|DON)_?KEYS?$"
    r"|(?:NEXT|EOS|BOS|PAD|UNK|SEP|CLS|MASK|STOP|IMAGE)_?TOKEN$"
)
# `ALLOW_EMPTY_PASSWORD=yes` says how, not what.
_SWITCH = re.compile(
    r"^(?:ALLOW|ENABLE|DISABLE|USE|NO|IS|HAS|REQUIRE|SKIP)_|_(?:RANDOM|EMPTY)_|_(?:ALLOW|ENABLE|DISABLE)_"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def purpose_of(name: str) -> str | None:
    """What a known variable is for, in one sentence; None for any other."""
    known = KNOWN.get(name)
    return known.purpose if known else None


def is_issued(name: str) -> bool:
    """Whether the value of a known variable is issued elsewhere, so that none can be generated here."""
    return name in _ISSUED


def is_secret_looking(name: str) -> bool:
    """Whether a variable of that name likely holds a secret: as known, else by how such names end."""
    upper = re.sub(r"[^A-Z0-9]+", "_", _HUMP.sub("_", name).upper()).strip("_")
    if upper in KNOWN:
        return KNOWN[upper].is_secret
    stem = _ENCODING.sub("", upper)
    if _SWITCH.search(stem) or _HARMLESS_ENDINGS.search(stem):
        return False
    return bool(_SECRET_ENDINGS.search(stem) or _KEY_ID.search(stem))
