"""Connections to PostgreSQL: one per process in its own role, and the owner's for the schema."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config.env import Env

# Plain connections in workers and ticker: a pool neither survives a fork nor suits advisory locks.
POOL = {"min_size": 1, "max_size": 16, "timeout": 10, "max_idle": 300}


def parse(url: str) -> dict[str, Any]:
    """Turn ``postgresql://user:password@host:port/name?option=value`` into Django's form."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # For core.composed alone: Django's own cursors never prepare.
        "OPTIONS": {"connect_timeout": 10, "prepare_threshold": 5, **dict(parse_qsl(parts.query))},
    }


def databases(env: Env) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES; the alias ``owner`` exists only where its address is given."""
    default = parse(env.database_url)
    if env.role == "web" and env.env != "test":
        default |= {"CONN_MAX_AGE": 0, "OPTIONS": default["OPTIONS"] | {"pool": POOL}}
    found = {"default": default}
    if env.owner_database_url:
        found["owner"] = parse(env.owner_database_url)
    return found
