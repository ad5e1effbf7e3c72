#!/bin/sh
# Starts a worker of a Ray cluster, as soon as the head answers.
set -eu
refuse() { printf '%s\n' "rayakash: env: $*" >&2; exit 78; }
left=$(env | sed -n 's/^\([A-Z_a-z][0-9A-Z_a-z]*\)=.*ac-secret:\/\/.*/\1/p' | xargs)
[ -z "$left" ] || refuse "$left has no value. Render the SDL first: rayakash-tui sdl render."
case ${RAY_AUTH_TOKEN:-} in
  ac-* | *[!A-Za-z0-9._~+/=-]*) refuse "RAY_AUTH_TOKEN is not a token. Run rayakash-tui secrets generate." ;;
  ????????????????????????????????*) ;;
  *) refuse "RAY_AUTH_TOKEN needs at least 32 characters. Run rayakash-tui secrets generate." ;;
esac
export RAY_AUTH_MODE=token
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S="${RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S:-20}"
objects=$(($(df -Pk /dev/shm | sed -n '2s/^[^ ]* *\([0-9]*\) .*/\1/p') * 1024 * 9 / 10))
# Services start in any order: wait for the head as long as it takes, and say so.
python3 -c '
import socket, sys, time
host, pause = sys.argv[1], 1
while True:
    try:
        sys.exit(socket.create_connection((host, 6379), 5).close())
    except OSError as error:
        print(f"rayakash: waiting for {host}:6379 ({error.strerror or error})", file=sys.stderr, flush=True)
    time.sleep(pause)
    pause = min(2 * pause, 60)
' "$RAY_ADDRESS_HOST" &
trap 'kill "$!"; exit 143' TERM INT
wait "$!"
ray start --block --disable-usage-stats --address="$RAY_ADDRESS_HOST:6379" \
  --object-manager-port=8076 --node-manager-port=8077 \
  --dashboard-agent-grpc-port=8078 --dashboard-agent-listen-port=8079 \
  --min-worker-port=10002 --max-worker-port=19999 --object-store-memory="$objects" &
ray=$!
trap 'ended=143; kill -TERM "$ray" 2>/dev/null || :' TERM INT
while kill -0 "$ray" 2>/dev/null; do
  wait "$ray" && code=0 || code=$?
done
exit "${ended:-$code}"
