"""Names of files that often hold secrets, to warn before they are sent."""

import re
from fnmatch import translate

from cockpit.model.uploads import SecretKind

_ENVIRONMENT = (".env", ".env.*", "*.env")
_KEYS = ("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk", "*.kdbx", "id_rsa*", "id_dsa*",
         "id_ecdsa*", "id_ed25519*")  # fmt: skip
_CREDENTIALS = ("credentials", "credentials.*", "*credentials*.json", "client_secret*.json",
                "service*account*.json", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".git-credentials",
                ".htpasswd", ".dockercfg", ".vault-token", "kubeconfig", "kubeconfig.*", "*.kubeconfig",
                "secret.*", "secrets.*", "*.tfstate", "terraform.tfvars")  # fmt: skip
# Harmless names alone; the directory tells.
_IN_DIRECTORIES = (".kube/config", ".docker/config.json")
# `.env.example` and a public key are made to be shown.
_PUBLIC = ("*.example", "*.sample", "*.template", "*.dist", "*.pub", "*.py", "*.md")


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


_KINDS = (
    (SecretKind.ENVIRONMENT, _any_of(_ENVIRONMENT)),
    (SecretKind.KEY, _any_of(_KEYS)),
    (SecretKind.CREDENTIALS, _any_of(_CREDENTIALS)),
)
_SHOWN = _any_of(_PUBLIC)
# One look at an ordinary name, of which a directory has many.
_ANY = _any_of((*_ENVIRONMENT, *_KEYS, *_CREDENTIALS, *(place.rpartition("/")[2] for place in _IN_DIRECTORIES)))


def secret_kind(path: str) -> SecretKind | None:
    """What a file looks like by its name alone, None for an ordinary one; the path uses slashes."""
    lower = path.lower()
    name = lower.rpartition("/")[2]
    if not _ANY.match(name) or _SHOWN.match(name):
        return None
    if f"/{lower}".endswith(tuple(f"/{place}" for place in _IN_DIRECTORIES)):
        return SecretKind.CREDENTIALS
    return next((kind for kind, pattern in _KINDS if pattern.match(name)), None)
