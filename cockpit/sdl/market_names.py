"""Names of the market for pick lists: attributes of providers, their values, and auditors; others exist.

Attributes and their values: `config/provider-attributes.json` of akash-network/console, which the Console checks
providers by, and akash.network's page on provider attributes; `region` and `host` are older than that list, and the
values of `region` are those that at least two providers announced in a public count of April 2024. Auditors: counted in
the public gallery (249 SDLs: 149 and 2). Read on `AS_OF`. A provider announces what it likes, so a pick list never
excludes another value, and `rayakash-tui offers --sdl FILE` tells who could bid.
"""

from datetime import date

AS_OF = date(2026, 11, 28)

AUDITORS = (
    ("akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63", "Akash's core team; named by most public SDLs"),
    ("akash18qa2a2ltfyvkyj0ggj3hkvuj6twzyumuaru9s4", "named by few public SDLs"),
)
REGIONS = ("us-west", "us-east", "us-central", "eu-west", "ca-central")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "region": REGIONS,
    "location-region": (
        "na-us-west", "na-us-southwest", "na-us-midwest", "na-us-southeast", "na-us-northeast", "na-ca-west",
        "na-ca-central", "na-ca-prairie", "na-ca-atlantic", "eu-west", "eu-central", "eu-north", "eu-east",
        "eu-southeast", "eu-south", "eu-southwest", "as-east", "as-southeast", "as-south", "as-west", "as-central",
        "sa-north", "sa-west", "sa-south", "sa-brazil", "central-america", "caribbean", "oc-aus", "oc-nz", "af-south",
        "af-north", "af-east", "af-west", "af-middle",
    ),
    "location-type": ("datacenter", "colo", "server-room", "office", "home", "mix"),
    "country": ("US", "CA", "DE", "GB", "FR", "NL"),
    "tier": ("community", "akash"),
    "host": ("akash",),
    "capabilities/cpu": ("amd", "intel", "arm"),
    "capabilities/memory": ("ddr5ecc", "ddr5", "ddr4ecc", "ddr4"),
    "capabilities/storage/1/class": ("default", "beta2", "beta3"),
    "capabilities/storage/2/class": ("beta2", "beta3", "default"),
    "capabilities/storage/3/class": ("beta3",),
    "capabilities/storage/1/persistent": ("true",),
    "capabilities/storage/2/persistent": ("true",),
    "capabilities/storage/3/persistent": ("true",),
    "feat-persistent-storage": ("true",),
    "feat-endpoint-ip": ("true",),
    "feat-endpoint-custom-domain": ("true",),
}  # fmt: skip
