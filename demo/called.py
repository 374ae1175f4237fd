"""What only `manage.py demo` is told by its environment: it acts for people and both workers.

`script/server` sets these names for this one command; no process of the product reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.stagehands import QUEUES, Hand

NAMES = (
    "GATEHOUSE_BUILD_DATABASE_URL",
    "GATEHOUSE_DEPLOY_DATABASE_URL",
    "GATEHOUSE_KEYS_DIR",
    "SIMULATOR_ADMIN_URL",
    "SIMULATOR_DIR",
    "DEMO_REPOSITORIES_DIR",
)


class CallIncomplete(Exception):
    """Names are missing; the text lists them all."""


@dataclass(frozen=True)
class Called:
    """The environment of one call of the demo's command."""

    hands: Mapping[str, Hand]
    simulator_admin_url: str
    simulator_dir: Path
    repositories: Path

    @property
    def keys(self) -> Path:
        """Where the demo keeps the orgs' private keys."""
        return self.repositories.parent / "demo"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Called:
        """Read all names; raises CallIncomplete with every one that is missing."""
        missing = [name for name in NAMES if not environ.get(name)]
        if missing:
            raise CallIncomplete(
                f"manage.py demo lacks {', '.join(missing)}; script/server calls it with them."
            )
        keys = Path(environ["GATEHOUSE_KEYS_DIR"])
        return cls(
            hands={
                queue: Hand(
                    environ[f"GATEHOUSE_{queue.upper()}_DATABASE_URL"],
                    json.loads((keys / f"{queue}.json").read_text(encoding="utf-8")),
                )
                for queue in QUEUES
            },
            simulator_admin_url=environ["SIMULATOR_ADMIN_URL"],
            simulator_dir=Path(environ["SIMULATOR_DIR"]),
            repositories=Path(environ["DEMO_REPOSITORIES_DIR"]),
        )
