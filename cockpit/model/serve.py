"""Ray Serve: applications, their deployments and replicas; every field may be missing."""

import msgspec

from cockpit.model.secret_values import withhold_in

# ApplicationStatus, DeploymentStatus and ReplicaState of ray/serve (2.60): what needs attention.
FAILED_STATUSES = ("DEPLOY_FAILED", "UNHEALTHY")


class Replica(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One replica; of one that is not placed yet only ID, name, state and start are there."""

    replica_id: str | None = None
    state: str | None = None
    node_id: str | None = None
    node_ip: str | None = None
    actor_id: str | None = None
    actor_name: str | None = None
    worker_id: str | None = None
    pid: int | None = None
    start_time_s: float | None = None
    log_file_path: str | None = None


class Deployment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A deployment; `message` may be a whole traceback."""

    name: str | None = None
    status: str | None = None
    status_trigger: str | None = None
    message: str | None = None
    target_num_replicas: int | None = None
    required_resources: dict[str, float] | None = None
    replicas: tuple[Replica, ...] = ()
    recent_dead_replicas: tuple[Replica, ...] = ()

    def __post_init__(self) -> None:
        withhold_in(self, "message")

    @property
    def running(self) -> int:
        """How many replicas run."""
        return sum(1 for replica in self.replicas if replica.state == "RUNNING")


class Application(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An application; `source` is `declarative` for one from a config file, `imperative` for one deployed by code.

    The config that it was deployed with is left out: it holds the values of variables.
    """

    name: str | None = None
    status: str | None = None
    message: str | None = None
    route_prefix: str | None = None
    last_deployed_time_s: float | None = None
    source: str | None = None
    deployments: dict[str, Deployment] = {}

    def __post_init__(self) -> None:
        withhold_in(self, "message")


class ServeRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An application, a deployment or a replica, as a row of one table."""

    kind: str
    application: str
    deployment: str | None = None
    replica: str | None = None
    status: str | None = None
    message: str | None = None
    running: int | None = None
    target: int | None = None
    route_prefix: str | None = None
    since: float | None = None
    node_id: str | None = None
    pid: int | None = None
    actor_id: str | None = None
    log_file_path: str | None = None
    required_resources: dict[str, float] | None = None

    @property
    def key(self) -> str:
        """`APP`, `APP/DEPLOYMENT` or `APP/DEPLOYMENT#REPLICA`."""
        deployment = f"/{self.deployment}" if self.deployment else ""
        return self.application + deployment + (f"#{self.replica}" if self.replica else "")


def rows_of(applications: tuple[Application, ...]) -> list[ServeRow]:
    """Each application, below it its deployments, below those their replicas, the recently dead last."""
    return [row for application in applications for row in _application_rows(application)]


def _application_rows(application: Application) -> list[ServeRow]:
    name = application.name or ""
    deployments = application.deployments.items()
    rows = [
        ServeRow(
            kind="application",
            application=name,
            status=application.status,
            message=application.message,
            route_prefix=application.route_prefix,
            since=application.last_deployed_time_s,
            running=sum(deployment.running for _, deployment in deployments),
            target=sum(deployment.target_num_replicas or 0 for _, deployment in deployments),
        )
    ]
    for key, deployment in deployments:
        rows.append(
            ServeRow(
                kind="deployment",
                application=name,
                deployment=key,
                status=deployment.status,
                message=deployment.message or deployment.status_trigger,
                running=deployment.running,
                target=deployment.target_num_replicas,
                required_resources=deployment.required_resources,
            )
        )
        rows += [_replica_row(name, key, replica) for replica in deployment.replicas]
        rows += [_replica_row(name, key, replica, is_dead=True) for replica in deployment.recent_dead_replicas]
    return rows


def _replica_row(application: str, deployment: str, replica: Replica, *, is_dead: bool = False) -> ServeRow:
    return ServeRow(
        kind="replica",
        application=application,
        deployment=deployment,
        replica=replica.replica_id,
        status="DEAD" if is_dead else replica.state,
        since=replica.start_time_s,
        node_id=replica.node_id,
        pid=replica.pid,
        actor_id=replica.actor_id,
        log_file_path=replica.log_file_path,
    )
