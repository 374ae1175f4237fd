"""The founded installation of governance's tests, for sweeps over the whole product."""

from tests.governance.conftest import founded_world, subject, world

__all__ = ["founded_world", "subject", "world"]
