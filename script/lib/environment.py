"""The environment of each process: the login and the keys of its role, and no other's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote

from script.lib.installation import Installation, State

# What a person may set for every process; the rest of our own environment stays out.
PASSED_ON = (
    "EMAIL_FROM",
    "EMAIL_HOST",
    "EMAIL_PASSWORD",
    "EMAIL_PORT",
    "EMAIL_USER",
    "EMAIL_USE_TLS",
    "GATEHOUSE_BOARD_DELAY_HOURS",
    "GATEHOUSE_CANARY_HOURS",
    "GATEHOUSE_CHECKPOINT_EMAIL",
    "GATEHOUSE_CHECKPOINT_GIT_KNOWN_HOST",
    "GATEHOUSE_CHECKPOINT_GIT_SECRET_FILE",
    "GATEHOUSE_CHECKPOINT_GIT_URL",
    "GATEHOUSE_CHECKPOINT_SECONDS",
    "GATEHOUSE_LOG_LEVEL",
    "GATEHOUSE_SANDBOX_REFRESH_DAYS",
    "GATEHOUSE_STEP_UP_MINUTES",
    "GATEHOUSE_TRUST_PROXY",
    "GIT_POLL_SECONDS",
    "HOME",
    "LANG",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
)
# Where teams keep their repositories unless GIT_HOSTS says otherwise.
GIT_HOSTS = "github.com,gitlab.com,bitbucket.org"


@dataclass(frozen=True)
class Addresses:
    """Where the servers of this start listen."""

    host: str
    port: int
    database: str
    redis: str

    def login(self, state: State, role: str) -> str:
        """Return the database address of a role."""
        password = quote(state.role_passwords[role], safe="")
        return f"postgresql://{role}:{password}@{self.database}"


def of_role(
    role: str, installation: Installation, state: State, addresses: Addresses
) -> dict[str, str]:
    """Return the environment of a process: web, build, deploy, ticker or owner."""
    environment = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "GATEHOUSE_ENV": "development" if state.mode == "demo" else "production",
        "GATEHOUSE_MODE": state.mode,
        "GATEHOUSE_ROLE": role,
        "GATEHOUSE_SECRET_KEY": state.secret_key,
        "GATEHOUSE_BASE_URL": os.environ.get("GATEHOUSE_BASE_URL")
        or f"http://localhost:{addresses.port}",
        "GATEHOUSE_HOST": os.environ.get("GATEHOUSE_HOST") or "localhost,127.0.0.1",
        "GATEHOUSE_BIND": f"{addresses.host}:{addresses.port}",
        "GATEHOUSE_BLOBS_DIR": str(installation.var / "blobs"),
        "GATEHOUSE_MIRRORS_DIR": str(installation.var / "mirrors"),
        "GATEHOUSE_CHECKPOINT_DIR": os.environ.get("GATEHOUSE_CHECKPOINT_DIR")
        or str(installation.var / "checkpoints"),
        "GATEHOUSE_PUBLIC_KEYS_FILE": str(installation.keys / "public.json"),
        "GIT_HOSTS": os.environ.get("GIT_HOSTS", GIT_HOSTS),
        "CALENDAR_HOSTS": os.environ.get("CALENDAR_HOSTS", ""),
        "REPOSITORY_ROOTS": os.environ.get("REPOSITORY_ROOTS", ""),
        "DATABASE_URL": addresses.login(state, f"gatehouse_{role}"),
        "REDIS_URL": addresses.redis,
    }
    if role in ("build", "deploy"):
        environment["GATEHOUSE_PRIVATE_KEYS_FILE"] = str(installation.keys / f"{role}.json")
    if role == "owner":
        environment["GATEHOUSE_OWNER_DATABASE_URL"] = environment["DATABASE_URL"]
    if state.mode == "demo":
        environment |= _demo(environment, installation, state)
    return environment


def _demo(environment: dict[str, str], installation: Installation, state: State) -> dict[str, str]:
    """Return what a demo adds: its repositories and the simulator in place of Salesforce."""
    roots = [str(installation.repositories), environment["REPOSITORY_ROOTS"]]
    found = {
        "REPOSITORY_ROOTS": ",".join(filter(None, roots)),
        "ORG_HOSTS": f"*.localhost:{state.simulator_port}",
        "GIT_POLL_SECONDS": environment.get("GIT_POLL_SECONDS", "5"),
    }
    certificate = installation.simulator / "ca.pem"
    if certificate.is_file():
        found["ORG_CA_FILE"] = str(certificate)
    return found


def of_demo_command(
    installation: Installation, state: State, addresses: Addresses
) -> dict[str, str]:
    """Return the environment of ``manage.py demo``: it acts for people and for both workers."""
    return of_role("owner", installation, state, addresses) | {
        "DATABASE_URL": addresses.login(state, "gatehouse_web"),
        "GATEHOUSE_BUILD_DATABASE_URL": addresses.login(state, "gatehouse_build"),
        "GATEHOUSE_DEPLOY_DATABASE_URL": addresses.login(state, "gatehouse_deploy"),
        "GATEHOUSE_KEYS_DIR": str(installation.keys),
        "SIMULATOR_DIR": str(installation.simulator),
        "SIMULATOR_ADMIN_URL": f"http://127.0.0.1:{state.simulator_admin_port}",
        "DEMO_REPOSITORIES_DIR": str(installation.repositories),
    }
