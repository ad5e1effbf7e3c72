"""Ray Serve over its REST API (ray-depth section 5); asking makes the dashboard connect to Ray, once (1.2 s)."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.clients import decoding
from cockpit.clients.ray.http import DashboardHttp
from cockpit.errors import RejectedError, ServerError
from cockpit.model.cluster import Rows
from cockpit.model.serve import Application

PATH = "/api/serve/applications/"
REDACTED = "<redacted>"  # what Ray writes for values of variables where it withholds them
APPLY_SECONDS = 60.0  # the first application starts Serve: 3 to 6 s


class ServeApi:
    """Applications, and the one config that declares all of them."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    async def list(self) -> Rows[Application]:
        """Every application by name; none where Serve does not run.

        Raises RejectedError where the head has no Ray Serve installed.
        """
        found = [(name, self._http.read_row(Application, raw)) for name, raw in (await self._raw()).items()]
        rows = [_named(name, one) for name, one in found if one is not None]
        return Rows(rows=tuple(sorted(rows, key=lambda one: one.name or "")), unreadable=len(found) - len(rows))

    async def configs(self) -> dict[str, dict[str, Any]]:
        """The configs of the applications that a file declared, by name, with the values of their variables."""
        found: dict[str, dict[str, Any]] = {}
        for name, raw in (await self._raw()).items():
            application = self._http.read_row(_Configured, raw)
            if application is not None and application.deployed_app_config and application.source != "imperative":
                found[name] = application.deployed_app_config
        return found

    async def apply(self, config: Mapping[str, Any]) -> None:
        """Make this the whole declared config: applications that it leaves out are deleted.

        Ray answers before anything runs, and accepts an import path that does not exist. Raises RejectedError with
        Ray's words for a config of another form.
        """
        if REDACTED in json.dumps(config):
            raise RejectedError(
                "Ray withholds values of environment variables of the other applications.",
                hint="Deploy a file that holds all of them: rayakash-tui serve deploy FILE",
            )
        async with self._http.supported("Serve API"):
            await self._http.transport.request("PUT", PATH, json=dict(config), seconds=APPLY_SECONDS)

    async def _raw(self) -> dict[str, msgspec.Raw]:
        async with self._http.supported("Serve API"):
            try:
                body = await self._http.get_list(PATH)
            except ServerError as error:
                raise _missing(error) from error
        applications = bytes(self._http.parts(body, _Details).applications)
        return {} if applications == b"null" else decoding.members(applications, address=self._http.address)


def _named(name: str, application: Application) -> Application:
    return application if application.name else msgspec.structs.replace(application, name=name)


def _missing(error: ServerError) -> Exception:
    if "not installed" not in error.detail and "No module named" not in error.detail:
        return error
    return RejectedError(
        "Ray Serve is not installed on the head.",
        detail=error.detail,
        hint='Install it in the image of the head: pip install "ray[serve]"',
        fault="not-installed",
    )


class _Details(msgspec.Struct):
    applications: msgspec.Raw = msgspec.Raw(b"{}")


class _Configured(msgspec.Struct):
    source: str | None = None
    deployed_app_config: dict[str, Any] | None = None
