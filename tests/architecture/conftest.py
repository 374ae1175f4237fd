"""The founded installation of governance's tests, for sweeps over the whole product."""

from tests.governance.conftest import subject, world

__all__ = ["subject", "world"]
