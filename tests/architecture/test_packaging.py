"""Image and compose file: no Docker engine runs here, so they are read and their steps are run.

Every copied path and every command is checked, and the image's own steps build a tree in an empty
directory, in which each process is then started.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from core import keyring
from script.lib import roles
from script.lib.embedded import free_port
from script.lib.health import is_well
from tests.support import servers
from tests.support.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one.get("image") == "gatehouse"}
PROCESSES = ("web", "ticker", "build", "deploy")


def instructions() -> list[tuple[str, str]]:
    """Read the Dockerfile as (instruction, rest), continuation lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines()]
    parts = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, rest in parts]


def copies() -> list[tuple[list[str], str]]:
    """Return what is copied out of the repository: sources and target."""
    found = []
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            found.append((sources, target))
    return found


def is_sent_to_docker(path: str) -> bool:
    """Apply .dockerignore, in which the last matching line decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if fnmatch(path, pattern) or fnmatch(path.split("/")[0], pattern):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize("source", [one for sources, _ in copies() for one in sources])
def test_every_copied_path_exists_and_is_sent(source: str) -> None:
    assert (ROOT / source).exists()
    assert is_sent_to_docker(source)


@pytest.mark.parametrize("path", [".env", "keys", "var", ".git", "tests", "simulator", "demo"])
def test_secrets_and_what_only_developers_need_stay_out(path: str) -> None:
    assert not is_sent_to_docker(path)
    assert path not in {source for sources, _ in copies() for source in sources}


def test_every_package_of_the_product_is_in_the_image() -> None:
    """All that the settings name, directly or through an app's imports, has to be there."""
    copied = {source for sources, _ in copies() for source in sources}
    needed = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert needed - copied == {"demo", "simulator", "tests"}


def test_the_image_runs_as_nobody_special() -> None:
    words = [word for word, _ in instructions()]
    assert dict(instructions())["USER"] == "gatehouse"
    assert "HEALTHCHECK" in words
    assert words.count("FROM") == 2, "packages are built in a stage of their own"


def entry_commands() -> set[str]:
    """Return what script/entry understands, from its own case statement."""
    text = (ROOT / "script" / "entry").read_text()
    labels = re.findall(r"^([a-z |]+)\)$", text, re.MULTILINE)
    return {word.strip() for label in labels for word in label.split("|")}


@pytest.mark.parametrize("name", OURS)
def test_every_service_runs_an_entry_point(name: str) -> None:
    assert dict(instructions())["ENTRYPOINT"] == '["script/entry"]'
    assert OURS[name]["command"][0] in entry_commands()


def test_the_compose_file_runs_the_whole_product() -> None:
    assert {*PROCESSES, "migrate", "roles", "postgresql", "valkey"} <= set(SERVICES)


@pytest.mark.parametrize("name", PROCESSES)
def test_each_process_has_its_own_login_and_keys(name: str) -> None:
    service = OURS[name]
    assert f"gatehouse_{name}:" in service["environment"]["DATABASE_URL"]
    assert "GATEHOUSE_OWNER_DATABASE_URL" not in service["environment"]
    private = {"build": {"build_keys"}, "deploy": {"deploy_keys"}}.get(name, set())
    assert set(service["secrets"]) == {"public_keys"} | private


def test_only_one_service_knows_the_administrator() -> None:
    knows = {
        name
        for name, service in OURS.items()
        if "POSTGRES_PASSWORD" in str(service.get("environment"))
    }
    assert knows == {"roles"}


def test_names_that_compose_demands_are_explained() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert asked == explained


def test_everything_that_is_waited_for_exists() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        named = {mount.split(":")[0] for mount in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= set(COMPOSE["volumes"])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the image's steps in an empty directory; the packages are those of this environment."""
    tree = tmp_path_factory.mktemp("image")
    for sources, target in copies():
        for source in sources:
            place = tree / (source if target == "./" else target)
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / source, place)
    (tree / ".venv").symlink_to(sys.prefix)
    (collect,) = [
        rest for word, rest in instructions() if word == "RUN" and "collectstatic" in rest
    ]
    done = subprocess.run(
        ["sh", "-c", collect],
        cwd=tree,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tree


def test_static_files_are_collected_with_names_that_change_with_them(image: Path) -> None:
    assert (image / "static-collected" / "staticfiles.json").is_file()


@pytest.fixture(scope="module")
def installation(
    image: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """Make a database as the services roles and migrate do; gives the common environment."""
    running = servers.running()
    name = f"image_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(running.superuser, autocommit=True) as superuser:
        superuser.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    place = tmp_path_factory.mktemp("installation")
    keyring.write(place / "keys")
    environment = {
        "PATH": os.environ["PATH"],
        "GATEHOUSE_ENV": "production",
        "GATEHOUSE_SECRET_KEY": "k" * 60,
        "GATEHOUSE_BASE_URL": "https://gatehouse.example",
        "GATEHOUSE_HOST": "gatehouse.example",
        "GATEHOUSE_TRUST_PROXY": "1",
        "GATEHOUSE_PUBLIC_KEYS_FILE": str(place / "keys" / "public.json"),
        "GATEHOUSE_BLOBS_DIR": str(place / "blobs"),
        "GATEHOUSE_MIRRORS_DIR": str(place / "mirrors"),
        "REDIS_URL": running.valkey.rpartition("/")[0] + "/15",
        "PLACE": str(place),
    }
    passwords = {role.removeprefix("gatehouse_").upper(): "test" for role in roles.LOGINS}
    entry(
        image,
        {
            "PATH": os.environ["PATH"],
            "ADMIN_DATABASE_URL": running.superuser.rpartition("/")[0] + f"/{name}",
            **{f"{role}_PASSWORD": password for role, password in passwords.items()},
        },
        "roles",
    )
    for role in ("owner", *PROCESSES):
        environment[f"{role}_url"] = running.login(f"gatehouse_{role}", name)
    owner = environment["owner_url"]
    entry(
        image,
        {**environment, "DATABASE_URL": owner, "GATEHOUSE_OWNER_DATABASE_URL": owner},
        "migrate",
    )
    yield environment
    with psycopg.connect(running.superuser, autocommit=True) as superuser:
        superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def entry(image: Path, environment: Mapping[str, str], *command: str) -> str:
    """Run script/entry as the image does, to its end."""
    done = subprocess.run(
        ["script/entry", *command],
        cwd=image,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def process(
    image: Path, environment: Mapping[str, str], role: str, port: int
) -> subprocess.Popen[bytes]:
    """Start a long-running entry point in its role."""
    told = {
        **environment,
        "DATABASE_URL": environment[f"{role}_url"],
        "GATEHOUSE_BIND": f"127.0.0.1:{port}",
    }
    if role in ("build", "deploy"):
        told["GATEHOUSE_PRIVATE_KEYS_FILE"] = f"{environment['PLACE']}/keys/{role}.json"
    with (Path(environment["PLACE"]) / f"{role}.log").open("wb") as log:
        return subprocess.Popen(["script/entry", role], cwd=image, env=told, stdout=log, stderr=log)


@pytest.mark.processes
def test_the_web_process_of_the_image_is_well(image: Path, installation: Mapping[str, str]) -> None:
    port = free_port()
    web = process(image, installation, "web", port)
    try:
        wait_until(lambda: is_well(port, "gatehouse.example"), seconds=60)
        bind = {"GATEHOUSE_BIND": f"127.0.0.1:{port}"}
        assert entry(image, {**installation, **bind}, "health") == ""
    finally:
        web.terminate()
        assert web.wait(30) == 0


@pytest.mark.processes
@pytest.mark.parametrize("role", ["ticker", "build", "deploy"])
def test_the_other_processes_of_the_image_run_until_they_are_told_to_stop(
    image: Path, installation: Mapping[str, str], role: str
) -> None:
    running = process(image, installation, role, 0)
    said = Path(installation["PLACE"]) / f"{role}.log"
    with psycopg.connect(servers.running().superuser, autocommit=True) as superuser:

        def is_connected() -> bool:
            seen = superuser.execute(
                "SELECT 1 FROM pg_stat_activity WHERE usename = %s", [f"gatehouse_{role}"]
            )
            return seen.fetchone() is not None or running.poll() is not None

        # A worker opens its connection only for work, so it is given a moment instead.
        if role == "ticker":
            wait_until(is_connected, seconds=60)
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(4)
    running.terminate()
    assert running.wait(30) in (0, -15), said.read_text()


def test_health_fails_where_nothing_listens(image: Path) -> None:
    told = {"PATH": os.environ["PATH"], "GATEHOUSE_BIND": f"127.0.0.1:{free_port()}"}
    done = subprocess.run(["script/entry", "health"], cwd=image, env=told, check=False)
    assert done.returncode == 1


def test_an_unknown_entry_point_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [ROOT / "script" / "entry", "everything"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    for command in PROCESSES:
        assert command in done.stderr


@pytest.mark.parametrize("name", ["server", "test", "entry", "bootstrap", "manage", "lock"])
def test_commands_can_be_run_and_parse(name: str) -> None:
    path = ROOT / "script" / name
    assert os.access(path, os.X_OK)
    shell = shlex.split(path.read_text().splitlines()[0].removeprefix("#!"))
    assert subprocess.run([*shell, "-n", str(path)], check=False).returncode == 0


def test_continuous_integration_runs_the_test_command() -> None:
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("./script/test")
