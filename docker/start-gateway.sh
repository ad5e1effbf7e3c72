#!/bin/sh
# Ends TLS in front of the head, with a certificate that is known before the first connection.
set -eu
umask 077
mkdir -p /tmp/gateway
refuse() { printf '%s\n' "rayakash: env: $*. Render the SDL first: rayakash-tui sdl render." >&2; exit 78; }
unpack() {
  printf '%s' "$2" | base64 -d >"/tmp/gateway/$3" 2>/dev/null || refuse "$1 is not base64"
  grep -q -- "-----BEGIN .*$4-----" "/tmp/gateway/$3" || refuse "$1 is not a $4 in PEM"
}
unpack GATEWAY_TLS_CERTIFICATE "${GATEWAY_TLS_CERTIFICATE:-}" tls.crt CERTIFICATE
unpack GATEWAY_TLS_KEY "${GATEWAY_TLS_KEY:-}" tls.key 'PRIVATE KEY'
unset GATEWAY_TLS_CERTIFICATE GATEWAY_TLS_KEY
# Nothing is buffered, cut off or cached.
cat >/tmp/gateway/Caddyfile <<'END'
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
exec caddy run --config /tmp/gateway/Caddyfile --adapter caddyfile
