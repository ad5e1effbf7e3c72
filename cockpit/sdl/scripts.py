"""The start scripts that every SDL of ours carries: files of a checkout, or as the templates of a wheel hold them."""

import shlex
from functools import cache
from pathlib import Path

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.templates import template_named

_CHECKOUT = Path(__file__).parents[2] / "docker"
_SERVICES = {"gateway": "gateway", "head": "ray-head", "worker": "ray-worker"}

SERVE_PORT = 8000
# The prefix is taken off, so that an application at / answers at /serve/.
_SERVE = """\
  handle /serve/* {
    @stranger not header Authorization "Bearer {env.RAY_AUTH_TOKEN}"
    respond @stranger 401
    uri strip_prefix /serve
    reverse_proxy ray-head:8000 {
      flush_interval -1
      header_up -Authorization
    }
  }
"""
_GUARD = """\
  @stranger not header Authorization "Bearer {env.RAY_AUTH_TOKEN}"
  respond @stranger 401
"""
_TOKEN = """\
case ${RAY_AUTH_TOKEN:-} in
  '' | ac-*) refuse "RAY_AUTH_TOKEN has no value" ;;
esac
"""
_PROXY = "  reverse_proxy ray-head:8265 {\n"
_COUNTING = "# Nothing is buffered"


def gateway_script(*, serve: bool = False, guard: bool = False) -> str:
    """Ends TLS. `serve` adds the path of served models, `guard` asks for the token where Ray cannot."""
    text = _read("gateway")
    if guard:
        text = text.replace(_PROXY, _GUARD + _PROXY)
    if serve:
        text = text.replace("  @stranger" if guard else _PROXY, _SERVE + ("  @stranger" if guard else _PROXY), 1)
    return text.replace(_COUNTING, _TOKEN + _COUNTING) if serve or guard else text


def node_script(role: str, flags: tuple[tuple[str, str], ...] = ()) -> str:
    """Starts a node, `role` being head or worker, with further flags of `ray start`; an empty value is a bare flag."""
    text = _read(role)
    if not flags:
        return text
    words = (f"--{name}={shlex.quote(value)}" if value else f"--{name}" for name, value in flags)
    return text.replace(
        ' --object-store-memory="$objects" &', f' --object-store-memory="$objects" \\\n  {" ".join(words)} &'
    )


@cache
def _read(role: str) -> str:
    path = _CHECKOUT / f"start-{role}.sh"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return str(SdlDocument(template_named("ray-cpu").text).get(("services", _SERVICES[role], "args", 0)))
