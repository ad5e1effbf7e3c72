#!/bin/sh
# Ends TLS in front of the head, with a certificate that is known before the first connection.
set -eu

refuse() {
  printf '%s\n' "rayakash: $*" >&2
  exit 78
}

# --- certificate and key, as base64 of PEM ---
umask 077
folder=/tmp/gateway
mkdir -p $folder
unpack() {
  case $2 in
    '') refuse "env: $1 is missing or empty." ;;
    ac-*) refuse "env: no value came for $1. Render the SDL before it is sent: rayakash-tui sdl render." ;;
  esac
  printf '%s' "$2" | base64 -d >"$folder/$3" 2>/dev/null || refuse "env: $1 is no base64."
  grep -q -- "-----BEGIN .*$4-----" "$folder/$3" || refuse "env: $1 is no $4 in PEM."
}
unpack GATEWAY_TLS_CERTIFICATE "${GATEWAY_TLS_CERTIFICATE:-}" tls.crt CERTIFICATE
unpack GATEWAY_TLS_KEY "${GATEWAY_TLS_KEY:-}" tls.key 'PRIVATE KEY'
unset GATEWAY_TLS_CERTIFICATE GATEWAY_TLS_KEY

# --- the way to the head: nothing is buffered, cut off or cached, whatever its size and length ---
cat >$folder/Caddyfile <<'END'
{
  admin off
  auto_https off
  servers {
    protocols h1 h2
  }
}
:8443 {
  tls /tmp/gateway/tls.crt /tmp/gateway/tls.key
  reverse_proxy ray-head:8265 {
    flush_interval -1
  }
}
END
exec caddy run --config $folder/Caddyfile --adapter caddyfile
