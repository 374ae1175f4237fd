"""What a handler gets: the world, the request, and who asks in which org at which version."""

from dataclasses import dataclass

from simulator.identity.sessions import Session
from simulator.transport.messages import Request, expired_session
from simulator.world import Org, World


@dataclass(frozen=True, slots=True)
class Context:
    """One call."""

    world: World
    request: Request
    org: Org | None
    session: Session | None
    version: str
    arguments: dict[str, str]

    @property
    def caller(self) -> Session:
        """The session; refuses as the platform does when there is none."""
        if self.session is None:
            raise expired_session()
        return self.session

    @property
    def base(self) -> str:
        """Path of the versioned REST resources."""
        return f"/services/data/v{self.version}"
