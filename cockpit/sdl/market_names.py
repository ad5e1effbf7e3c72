"""Names of the market for pick lists: attributes of providers, their values, and auditors; others exist.

Examples, none of them checked against a live provider: attributes and auditors that public SDLs name often, as of
`AS_OF`. A pick list never excludes another value.
"""

from datetime import date

AS_OF = date(2026, 7, 28)

AUDITORS = (
    ("akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63", "named by most public SDLs"),
    ("akash18qa2a2ltfyvkyj0ggj3hkvuj6twzyumuaru9s4", "named by many public SDLs"),
)
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "region": ("us-west", "us-central", "us-east", "eu-west", "eu-central", "eu-east", "ap-southeast"),
    "tier": ("community", "premium"),
    "host": ("akash",),
    "capabilities/storage/2/class": ("beta2", "beta3", "default"),
    "capabilities/storage/2/persistent": ("true",),
    "capabilities/gpu/vendor/nvidia/model/h100": ("true",),
    "feat-persistent-storage": ("true",),
    "feat-endpoint-ip": ("true",),
}
