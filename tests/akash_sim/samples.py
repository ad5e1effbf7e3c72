"""SDLs for the simulated network."""

LAB = """\
---
version: "2.0"
services:
  gateway:
    image: caddy:2.10.2
    env:
      - GATEWAY_TOKEN=ac-secret://GATEWAY_TOKEN
    expose:
      - port: 8443
        to:
          - global: true
  ray-head:
    image: rayproject/ray:2.60.0
    expose:
      - port: 8265
        to:
          - service: gateway
  ray-worker:
    image: rayproject/ray:2.60.0
    expose:
      - port: 6379
        to:
          - service: ray-head
profiles:
  compute:
    gateway:
      resources:
        cpu: {units: 0.5}
        memory: {size: 256Mi}
        storage: {size: 1Gi}
    ray-head:
      resources:
        cpu: {units: 4}
        memory: {size: 16Gi}
        storage: {size: 20Gi}
    ray-worker:
      resources:
        cpu: {units: 8}
        memory: {size: 32Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: rtx4090}]}}}
        storage: {size: 50Gi}
  placement:
    cloud:
      pricing:
        gateway: {denom: uact, amount: 1000}
        ray-head: {denom: uact, amount: 1000}
        ray-worker: {denom: uact, amount: 3000}
deployment:
  gateway: {cloud: {profile: gateway, count: 1}}
  ray-head: {cloud: {profile: ray-head, count: 1}}
  ray-worker: {cloud: {profile: ray-worker, count: 2}}
"""

PLAIN = LAB.replace("    env:\n      - GATEWAY_TOKEN=ac-secret://GATEWAY_TOKEN\n", "")
"""The same without a reference to a secret."""

TWO_GROUPS = PLAIN.replace(
    "        ray-worker: {denom: uact, amount: 3000}\n",
    "        ray-worker: {denom: uact, amount: 3000}\n    far:\n      pricing:\n"
    "        ray-worker: {denom: uact, amount: 3000}\n",
).replace("ray-worker: {cloud: {profile: ray-worker, count: 2}}", "ray-worker: {far: {profile: ray-worker, count: 2}}")
