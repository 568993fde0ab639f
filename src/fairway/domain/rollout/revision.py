"""What is deployed: an artifact plus the configuration to run it with, on one target."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """How a running instance shows that it can serve.

    Attributes:
        ready: path whose 2xx answer means "send me requests"; None: one answer to GET /, of any status, and
            accepted connections from then on.
        live: path whose repeated failure means "restart me"; None: only the process itself is watched.
        ready_body: text that the readiness answer must contain; None: the status is enough.
        timeout: seconds from the start until the instance must be ready.
    """

    ready: str | None = None
    live: str | None = None
    ready_body: str | None = None
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class RunSpec:
    """How one instance is started and stopped.

    Attributes:
        command: argument line; split like a shell would, but no shell runs. `{port}` and `{host}`, or `{socket}`, are
            replaced.
        variables: the environment given to the process, sorted by name; nothing else is inherited but PATH, HOME,
            LANG and TZ.
        health: how readiness and liveness show.
        drain: seconds that requests under way get to finish once no new ones arrive.
        grace: seconds between SIGTERM and SIGKILL.
    """

    command: str
    variables: tuple[tuple[str, str], ...] = ()
    health: Health = Health()
    drain: float = 10.0
    grace: float = 10.0

    @property
    def wants_socket(self) -> bool:
        """An instance listens on a Unix socket of its own, and not on a port."""
        return "{socket}" in self.command


@dataclass(frozen=True, slots=True)
class Artifact:
    """One immutable thing, by digest.

    Attributes:
        service: whose artifact it is.
        version: the version of its release, or a short commit where there is none.
        commit: full object name of the commit that it was built from; empty for an artifact built elsewhere.
        digest: `sha256:<64 hex digits>` over its content.
        location: where its content lies; for the local store an absolute folder.
    """

    service: str
    version: str
    commit: str
    digest: str
    location: str


@dataclass(frozen=True, slots=True)
class Revision:
    """An artifact plus configuration, as deployed in one environment.

    Attributes:
        id: unique within the service and environment, of `[a-z0-9.-]`, at most 60 characters; the same artifact with
            the same configuration has the same id.
    """

    id: str
    service: str
    environment: str
    artifact: Artifact
    run: RunSpec

    @property
    def version(self) -> str:
        """The version that people know it by."""
        return self.artifact.version


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one instance listens: on a port, or on a Unix socket.

    Attributes:
        host: IP address; empty with a socket.
        port: 1 to 65535; 0 with a socket.
        socket: absolute path of the socket; empty with a port.
    """

    instance: str
    host: str
    port: int
    socket: str = ""

    @property
    def place(self) -> str:
        """`host:port`, or the path of the socket, which begins with a slash."""
        return self.socket or f"{self.host}:{self.port}"
