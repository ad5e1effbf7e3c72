"""Names of the market for pick lists: attributes of providers, their values, and auditors; others exist.

Source: attributes that SDLs of the public gallery ask for and the provider attribute schema of the Console; auditors
by how many of those SDLs name them, as of `AS_OF`.
"""

from datetime import date

AS_OF = date(2026, 7, 28)

AUDITORS = (
    ("akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63", "Akash's core team"),
    ("akash18qa2a2ltfyvkyj0ggj3hkvuj6twzyumuaru9s4", "Akash's older auditor"),
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
