"""From what the user named to a client: which cluster, which token, and whether that token may go there."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cockpit import settings
from cockpit.clients.address import DEFAULT_PORT, Address, parse_address
from cockpit.clients.endpoint import Passage
from cockpit.clients.ray import RayClient
from cockpit.clients.tls import Tls
from cockpit.clients.tokens import (
    FoundToken,
    address_in,
    checked_token,
    find_ray_token,
    origins_named_by_ray,
    read_token_file,
    variable_with_address,
)
from cockpit.clients.transport import Endpoint, Transport
from cockpit.errors import AuthenticationError, CockpitError, UsageError
from cockpit.local.containers.state import container_contexts
from cockpit.local.state import local_status
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.operations.background import aside
from cockpit.operations.clusters.bastion import Bastion, bastion_of, lead_to, open_tunnel
from cockpit.operations.clusters.credentials import Access, access_of, plain_secret, tls_of
from cockpit.operations.clusters.trust import settle
from cockpit.operations.question import Ask as Ask
from cockpit.operations.question import Question as Question
from cockpit.secrets.names import DEFAULT_SCOPE, scopes_for
from cockpit.secrets.passphrase import unasked
from cockpit.secrets.references import resolve_reference
from cockpit.settings import Consents, Context

if TYPE_CHECKING:
    from cockpit.clients.ssh.tunnel import Tunnel

LOCAL_CONTEXT = "local"


class NoClusterError(UsageError):
    """The user named no cluster, and there is none to fall back on."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What the user named on the command line; None where they did not."""

    context: str | None = None
    address: str | None = None
    ssh: str | None = None
    ssh_port: int | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster to talk to. `token_is_ambient` marks a token that was not given for this cluster.

    `scopes` are where its secrets are looked for.
    """

    name: str
    address: Address
    token: FoundToken | None = None
    token_is_ambient: bool = False
    context: Context | None = None
    tls: Tls = Tls()
    access: Access = Access()
    bastion: Bastion | None = None
    scopes: tuple[str, ...] = (DEFAULT_SCOPE,)

    @property
    def place(self) -> str:
        """What consents are bound to; an address means another host where a bastion looks it up."""
        return self.address.origin if self.bastion is None else f"{self.address.origin} via {self.bastion.destination}"

    @property
    def history_name(self) -> str:
        """The name under which the history of the cluster is kept: one address means many behind several bastions."""
        return self.name if self.bastion is None or self.context is not None else self.place

    @property
    def is_read_only(self) -> bool:
        """Whether the context forbids changes."""
        return self.context is not None and self.context.read_only


def choose(selection: Selection, environment: Mapping[str, str] = os.environ) -> Target:
    """Find the cluster: by flag, then by environment, then the context in use; with a bastion alone, the Ray on it.

    Raises UsageError where none is named, or the name or address is not usable.
    """
    bastion = bastion_of(selection.ssh, selection.ssh_port)
    try:
        target = _chosen(selection, environment)
    except NoClusterError:
        if bastion is None:
            raise
        target = _from_address(parse_address(f"127.0.0.1:{DEFAULT_PORT}"), environment)
    if bastion is None:
        return target
    if target.name == LOCAL_CONTEXT and target.context is None:
        raise UsageError("The local cluster is on this machine; --ssh leads to another.")
    return msgspec.structs.replace(target, bastion=bastion)


def history_of(selection: Selection, environment: Mapping[str, str] = os.environ) -> tuple[str, float | None]:
    """The `history_name` of the cluster that `choose` would find, and what it costs in USD per hour.

    No token is looked up for it, so that no keyring and no passphrase is asked for. Raises UsageError as `choose` does.
    """
    bastion = bastion_of(selection.ssh, selection.ssh_port)
    try:
        found = _named(selection, environment)
    except NoClusterError:
        if bastion is None:
            raise
        found = parse_address(f"127.0.0.1:{DEFAULT_PORT}")
    if isinstance(found, str):
        context = _context_named(found)
        return found, context.cost if context else None
    return Target(name=str(found), address=found, bastion=bastion).history_name, None


def _chosen(selection: Selection, environment: Mapping[str, str]) -> Target:
    found = _named(selection, environment)
    return _from_context(found, environment) if isinstance(found, str) else _from_address(found, environment)


def _named(selection: Selection, environment: Mapping[str, str]) -> str | Address:
    """The name of a context, or an address."""
    if selection.context and selection.address:
        raise UsageError("Name a context or an address, not both.")
    if selection.context:
        return selection.context
    if selection.address:
        return parse_address(selection.address)
    if variable := variable_with_address(environment):
        return address_in(environment, variable)
    return _default_context()


def _default_context() -> str:
    chosen = settings.current_context()
    if chosen:
        return chosen
    found = settings.load_settings()
    known = [*found.contexts, *found.left_out]  # one that is not understood may be the one that is meant
    if len(known) == 1 and found.contexts:
        return known[0]
    raise NoClusterError(
        "No cluster selected." if not known else f"Several clusters are known: {', '.join(sorted(known))}.",
        detail="\n".join(found.problems),
        hint="Use --address URL, -c CONTEXT or RAYAKASH_ADDRESS, or `rayakash-tui clusters add NAME ADDRESS`. "
        "Without a cluster: `rayakash-tui demo`, or `rayakash-tui local up`.",
    )


def _from_address(address: Address, environment: Mapping[str, str]) -> Target:
    return Target(name=str(address), address=address, token=find_ray_token(environment), token_is_ambient=True)


def _context_named(name: str) -> Context | None:
    """The context of that name; None for the local Ray, which needs none. Raises UsageError for an unknown one."""
    found = settings.load_settings()
    context = found.contexts.get(name)
    if context is None and (kept := container_contexts().get(name)):
        context = msgspec.structs.replace(kept.context, scope=kept.scope)
    if context is None and name != LOCAL_CONTEXT:
        raise UsageError(
            f"No context named {name!r}.",
            detail="\n".join(found.problems),  # it may be there and not be understood
            hint="`rayakash-tui clusters list` shows those that are known; `clusters add NAME ADDRESS` adds one.",
        )
    return context


def _from_context(name: str, environment: Mapping[str, str]) -> Target:
    context = _context_named(name)
    if context is None:
        return _local()
    scopes = scopes_for(scope=context.scope, context=name)
    own = _context_token(name, context, scopes)
    return Target(
        name=name,
        address=parse_address(context.address),
        token=own or find_ray_token(environment),
        token_is_ambient=own is None,
        context=context,
        tls=tls_of(name, context),
        bastion=bastion_of(context.ssh, context.ssh_port),
        access=access_of(name, context, scopes),
        scopes=scopes,
    )


def _context_token(name: str, context: Context, scopes: tuple[str, ...]) -> FoundToken | None:
    source = f"context {name}"
    if context.token is not None:
        if REFERENCE_PREFIX not in context.token:  # reported without repeating it
            raise plain_secret(name, "token")
        token = resolve_reference(context.token, scopes=scopes)
        return FoundToken(checked_token(token.reveal(), source), source)
    if context.token_file is not None:
        return FoundToken(read_token_file(Path(context.token_file).expanduser()), source)
    return None


def _local() -> Target:
    cluster = local_status()
    if cluster is None:
        raise UsageError("The local cluster is not running.", hint="Start it with `rayakash-tui local up`.")
    token = FoundToken(checked_token(cluster.token, "the local cluster"), "the local cluster")
    return Target(name=LOCAL_CONTEXT, address=parse_address(cluster.address), token=token)


async def connect(
    target: Target, *, ask: Ask | None = None, agreed: bool = False, accept: str | None = None
) -> RayClient:
    """A client of the target, once it is clear whom it speaks to and what may be sent there.

    An untrusted certificate is asked about first, or accepted if it is the one named by `accept`.
    A token that needs a yes which was not given yet is sent only after `ask` says so (or with `agreed`); the yes is
    remembered for the address. Where the cluster wants no token, nothing is asked and none is sent.
    Raises AuthenticationError where it wants one and the answer was no, and UntrustedError as `settle` does.
    """
    if target.bastion is None:
        return _found_again(await _connected(target, None, ask, agreed=agreed, accept=accept), target, None)
    tunnel = await open_tunnel(target.bastion, target.address)
    try:
        client = await _connected(target, tunnel, ask, agreed=agreed, accept=accept)
    except BaseException:
        await tunnel.close()
        raise
    client.transport.closing = tunnel.close
    return _found_again(client, target, tunnel)


def _found_again(client: RayClient, target: Target, tunnel: "Tunnel | None") -> RayClient:
    """The client, which looks its cluster up again after a failure where that has a name."""
    if target.context is not None or target.name == LOCAL_CONTEXT:
        client.transport.resolve_again = _Resolver(client.transport, target, tunnel).endpoint
    return client


class _Resolver:
    """Where a named cluster is by now: a local Ray starts on other ports, an address is corrected, a token replaced.

    A context that gains or loses its bastion is followed too.
    """

    def __init__(self, transport: Transport, target: Target, tunnel: "Tunnel | None") -> None:
        self._transport = transport
        self._target = target
        self._tunnel = tunnel
        context = target.context
        by_name = bastion_of(context.ssh, context.ssh_port) if context is not None else None
        self._given = target.bastion if target.bastion != by_name else None  # by --ssh: stays

    async def endpoint(self) -> Endpoint | None:
        """The endpoint where it has changed; None where it is the same, gone, or needs a person's consent."""

        def quietly() -> Target:
            with unasked():
                found = choose(Selection(context=self._target.name))
            return found if self._given is None else msgspec.structs.replace(found, bastion=self._given)

        try:
            target = await aside(quietly)
            if target == self._target or open_questions(target, settings.load_consents()):
                return None
            return await self._found_at(target)
        except CockpitError:  # the failed request has said what is wrong
            return None

    async def _found_at(self, target: Target) -> Endpoint:
        tunnel = await self._tunnel_to(target)
        try:
            tls = await settle(endpoint_of(target, target.tls, tunnel, is_bare=True), scopes=target.scopes)
        except BaseException:
            if tunnel is not None and tunnel is not self._tunnel:
                await tunnel.close()
            raise
        before, self._tunnel, self._target = self._tunnel, tunnel, target
        self._transport.closing = tunnel.close if tunnel is not None else None
        if before is not None and before is not tunnel:
            await before.close()
        return endpoint_of(target, tls, tunnel)

    async def _tunnel_to(self, target: Target) -> "Tunnel | None":
        """The open tunnel, led to the target; a new one, or none, where the context has another kind of way now."""
        if target.bastion is None:
            return None
        if self._tunnel is None:
            return await open_tunnel(target.bastion, target.address)
        await lead_to(self._tunnel, target.bastion, target.address)
        return self._tunnel


async def _connected(
    target: Target, passage: Passage | None, ask: Ask | None, *, agreed: bool, accept: str | None
) -> RayClient:
    bare_endpoint = endpoint_of(target, target.tls, passage, is_bare=True)
    tls = await settle(bare_endpoint, scopes=target.scopes, ask=ask, accept=accept)
    questions = open_questions(target, settings.load_consents())
    if questions and not agreed:
        if target.access.is_empty:
            bare = RayClient.at(endpoint_of(target, tls, passage, is_bare=True))
            if not await _wants_token(bare):
                return bare
        await _agree(target, questions, ask)
    if questions:
        _remember(target, questions)
    return RayClient.at(endpoint_of(target, tls, passage))


async def _wants_token(client: RayClient) -> bool:
    """Whether the cluster asks for a token; closes the client unless it does not."""
    try:
        if await client.authentication_mode() in (None, "disabled"):
            return False
    except AuthenticationError:
        pass  # the proxy in front of it requires one
    except BaseException:
        await client.close()
        raise
    await client.close()
    return True


def open_questions(target: Target, consents: Consents, environment: Mapping[str, str] = os.environ) -> list[Question]:
    """What has to be agreed to before the target's token is sent there."""
    address, token = target.address, target.token
    if (address.is_loopback and target.bastion is None) or (token is None and target.access.is_empty):
        return []
    questions = []
    is_named = target.bastion is None and address.origin in origins_named_by_ray(environment)
    if token is not None and target.token_is_ambient and not is_named and target.place not in consents.ray_token:
        text = f"Send the Ray token found in {token.source} to {target.place}?"
        questions.append(Question(text, "ray_token"))
    # Beyond the tunnel the bastion itself is all there is, or a network.
    if not (address.is_encrypted or address.is_loopback) and target.place not in consents.plain_http:
        what = "the token" if token is not None else "the credentials"
        text = f"Send {what} to {target.place} unencrypted, readable to anyone on the network path?"
        questions.append(Question(text, "plain_http"))
    return questions


async def agree_to(target: Target, ask: Ask) -> None:
    """Ask what has to be agreed to before the target's token is sent, and remember it. Raises AuthenticationError."""
    if questions := open_questions(target, settings.load_consents()):
        await _agree(target, questions, ask)
        _remember(target, questions)


async def _agree(target: Target, questions: list[Question], ask: Ask | None) -> None:
    for question in questions:
        if ask is None or not await ask(question):
            title = f"{target.address} requires a token. The one found here was not sent without your approval."
            if target.token is None:
                title = f"What {target.address} is to be shown was not sent."
            raise AuthenticationError(
                title,
                status=401,
                detail=question.text,
                hint="Agree once with --send-token; it is remembered for this address.",
            )


def _remember(target: Target, questions: list[Question]) -> None:
    consents = settings.load_consents()
    for question in questions:
        agreed = getattr(consents, question.about) | {target.place}
        consents = msgspec.structs.replace(consents, **{question.about: agreed})
    with suppress(UsageError):  # where nothing can be written the same is asked again: no reason to fail now
        settings.save_consents(consents)


def endpoint_of(target: Target, tls: Tls, passage: Passage | None, *, is_bare: bool = False) -> Endpoint:
    """Where the target is; a bare one shows nothing that others could use."""
    access = Access() if is_bare else target.access
    return Endpoint(
        address=target.address,
        token=target.token.value if target.token and not is_bare else None,
        authorization=access.authorization,
        headers=access.headers,
        cookies=access.cookies,
        basic=access.basic,
        tls=tls,
        use_proxy=target.context.proxy if target.context else False,
        passage=passage,
    )
