#!/bin/sh
# Starts the head of a Ray cluster.
set -eu

say() { printf '%s\n' "rayakash: $*" >&2; }
refuse() {
  say "$*"
  exit 78
}

# --- secrets ---
# A reference that nobody resolved would itself be taken for the value.
left=$(env -0 | tr '\n\0' ' \n' | sed -n \
  -e 's/^\([A-Z_a-z][0-9A-Z_a-z]*\)=ac-secret:.*/\1/p' \
  -e 's/^\([A-Z_a-z][0-9A-Z_a-z]*\)=.*ac-secret:\/\/[A-Z_a-z].*/\1/p' | xargs)
[ -z "$left" ] || refuse "env: no value came for $left. Render the SDL first: rayakash-tui sdl render."

# Ray runs open, without a word, in a mode that it does not know; so the mode is not left to chance.
token=${RAY_AUTH_TOKEN:-}
if [ -z "$token" ] && [ "${RAYAKASH_ALLOW_NO_AUTH:-}" = 1 ]; then
  export RAY_AUTH_MODE=disabled
  unset RAY_AUTH_TOKEN
  say "env: RAYAKASH_ALLOW_NO_AUTH is 1: whoever reaches this cluster can run code on it, without a token."
else
  export RAY_AUTH_MODE=token
  case $token in
    '') refuse "env: RAY_AUTH_TOKEN is empty; rayakash-tui secrets generate RAY_AUTH_TOKEN makes one." ;;
    ac-*) refuse "env: RAY_AUTH_TOKEN begins with ac-, as a reference does that nobody resolved." ;;
    *[!A-Za-z0-9._~+/=-]*) refuse "env: RAY_AUTH_TOKEN holds a space, a line break or other odd signs." ;;
  esac
  [ "${#token}" -ge 32 ] ||
    refuse "env: RAY_AUTH_TOKEN has ${#token} characters; it needs 32, so that nobody guesses it."
fi

# --- resources ---
# What the container may use; Ray and nproc may see the whole host instead.
cgroup=/sys/fs/cgroup
cpus=$(nproc)
quota=max
period=100000
if [ -r $cgroup/cpu.max ]; then
  read -r quota period <$cgroup/cpu.max
elif [ -r $cgroup/cpu/cpu.cfs_quota_us ]; then
  read -r quota <$cgroup/cpu/cpu.cfs_quota_us
  read -r period <$cgroup/cpu/cpu.cfs_period_us
fi
case $quota in
  max | -*) ;;
  *) if [ $((quota / period)) -lt "$cpus" ]; then cpus=$((quota / period)); fi ;;
esac
[ "$cpus" -ge 1 ] || cpus=1

memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) * 1024))
limit=max
for file in $cgroup/memory.max $cgroup/memory/memory.limit_in_bytes; do
  if [ -r "$file" ]; then
    read -r limit <"$file"
    break
  fi
done
if [ "$limit" != max ] && [ "$limit" -lt "$memory" ]; then memory=$limit; fi

# Ray shares objects through /dev/shm; the 64 MB of a plain container send them to the disk.
mib=1048576
shm=$(($(df -Pk /dev/shm | sed -n '2s/^[^ ]* *\([0-9]*\) .*/\1/p') * 1024))
[ $shm -ge $((1024 * mib)) ] ||
  refuse "/dev/shm has $((shm / mib)) MiB, Ray needs 1024: in the service's compute profile resources.storage" \
    "needs a volume of class ram, which the service's params.storage mounts on /dev/shm."
objects=$((shm * 9 / 10))
if [ $objects -gt $((memory / 2)) ]; then objects=$((memory / 2)); fi
tasks=$((memory * 9 / 10 - objects))
[ $tasks -ge $((512 * mib)) ] ||
  refuse "$((memory / mib)) MiB of memory are too few, $((objects / mib)) of them are for Ray's objects:" \
    "raise resources.memory.size of the service's compute profile."

# --- storage ---
# boto3, s3fs and pyarrow read Amazon's names alone; a store of another make that speaks S3 is given those too.
if [ -z "${AWS_ACCESS_KEY_ID:-}" ] && [ -n "${B2_APPLICATION_KEY_ID:-}" ]; then
  export AWS_ACCESS_KEY_ID="$B2_APPLICATION_KEY_ID" AWS_SECRET_ACCESS_KEY="${B2_APPLICATION_KEY:-}"
fi
if [ -z "${AWS_ACCESS_KEY_ID:-}" ] && [ -n "${MINIO_ACCESS_KEY:-}" ]; then
  export AWS_ACCESS_KEY_ID="$MINIO_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="${MINIO_SECRET_KEY:-}"
fi
endpoint=${S3_ENDPOINT_URL:-}
if [ -z "$endpoint" ] && [ -n "${R2_BUCKET_URL:-}" ]; then
  host=${R2_BUCKET_URL#*://}
  endpoint=https://${host%%/*}
fi
if [ -n "$endpoint" ]; then
  export AWS_ENDPOINT_URL_S3="${AWS_ENDPOINT_URL_S3:-$endpoint}"
  export FSSPEC_S3_ENDPOINT_URL="${FSSPEC_S3_ENDPOINT_URL:-$endpoint}"
fi
[ -z "${AWS_ACCESS_KEY_ID:-}" ] || say "jobs get the keys of the store, AWS_ACCESS_KEY_ID and its secret"
[ -z "$endpoint" ] || say "jobs get AWS_ENDPOINT_URL_S3 and FSSPEC_S3_ENDPOINT_URL, the address of the store"
[ -z "${WANDB_API_KEY:-}" ] || say "jobs get WANDB_API_KEY, for Weights & Biases"

# --- ports ---
free='
import socket, sys
taken = []
for port in sys.argv[1:]:
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("", int(port)))
    except OSError:
        taken.append(port)
    probe.close()
sys.exit(" ".join(taken) or 0)
'
need_ports() {
  taken=$(python3 -c "$free" "$@" 2>&1) ||
    refuse "port $taken is taken in this container: command and args of the service may start nothing but Ray."
}

say "$cpus CPUs, $((memory / mib)) MiB of memory, $((objects / mib)) of them for objects"
# Told to end, Ray lets tasks finish for this long; Kubernetes kills after 30 s.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S="${RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S:-20}"

# --- Ray ---
need_ports 6379 8265 8076 8077 8078 8079
# All pods of a placement reach each other on every port; what the internet reaches is in `expose` alone.
ending=
ray=
trap 'ending=1; [ -z "$ray" ] || kill -TERM "$ray" || :' TERM INT
ray start --head --block --disable-usage-stats \
  --port=6379 --dashboard-host=0.0.0.0 --dashboard-port=8265 \
  --object-manager-port=8076 --node-manager-port=8077 \
  --dashboard-agent-grpc-port=8078 --dashboard-agent-listen-port=8079 \
  --min-worker-port=10002 --max-worker-port=19999 \
  --num-cpus="$cpus" --memory="$tasks" --object-store-memory="$objects" &
ray=$!
[ -z "$ending" ] || kill -TERM "$ray" || :
# As first process of the container the shell takes in what jobs leave behind, and `wait` collects it; Ray would not.
code=0
while :; do
  wait "$ray" && code=0 || code=$?
  kill -0 "$ray" 2>/dev/null || break
done
[ -z "$ending" ] || exit 143
exit "$code"
