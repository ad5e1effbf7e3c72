#!/bin/sh
# Starts the head of a Ray cluster.
set -eu
refuse() { printf '%s\n' "rayakash: env: $*" >&2; exit 78; }
left=$(env | sed -n 's/^\([A-Z_a-z][0-9A-Z_a-z]*\)=.*ac-secret:\/\/.*/\1/p' | xargs)
[ -z "$left" ] || refuse "$left has no value. Render the SDL first: rayakash-tui sdl render."
case ${RAY_AUTH_TOKEN:-} in
  ac-* | *[!A-Za-z0-9._~+/=-]*) refuse "RAY_AUTH_TOKEN is not a token. Run rayakash-tui secrets generate." ;;
  ????????????????????????????????*) ;;
  *) refuse "RAY_AUTH_TOKEN needs at least 32 characters. Run rayakash-tui secrets generate." ;;
esac
# Ray runs open, without an error, in any mode that it does not know.
export RAY_AUTH_MODE=token
# Told to stop, Ray lets tasks finish for this long; Kubernetes kills after 30 s.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S="${RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S:-20}"
# Ray reads CPUs and memory of the container itself; its objects get nine tenths of /dev/shm.
objects=$(($(df -Pk /dev/shm | sed -n '2s/^[^ ]* *\([0-9]*\) .*/\1/p') * 1024 * 9 / 10))
ray start --head --block --disable-usage-stats \
  --port=6379 --dashboard-host=0.0.0.0 --dashboard-port=8265 \
  --object-manager-port=8076 --node-manager-port=8077 \
  --dashboard-agent-grpc-port=8078 --dashboard-agent-listen-port=8079 \
  --min-worker-port=10002 --max-worker-port=19999 --object-store-memory="$objects" &
ray=$!
trap 'ended=143; kill -TERM "$ray" 2>/dev/null || :' TERM INT
# As process 1 the shell collects what jobs leave behind while it waits.
while kill -0 "$ray" 2>/dev/null; do
  wait "$ray" && code=0 || code=$?
done
exit "${ended:-$code}"
