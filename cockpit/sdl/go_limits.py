"""The limits that Go sets to resources and prices.

Source: chain-sdk `go/node/deployment/v1beta4/validation_config.go`.
"""

from cockpit.sdl.quantities import MI, TI

# Per replica; per group they are fifty times as much.
MIN_CPU, MAX_CPU = 10, 384_000
MIN_MEMORY, MAX_MEMORY = MI, 2 * TI
MIN_STORAGE, MAX_STORAGE = 5 * MI, 32 * TI
MAX_GPU = 24
MAX_PRICE = 10_000_000
GROUP_FACTOR = 50
