"""The only reader of the process environment.

``Env.read(os.environ)`` returns one frozen value, available everywhere as ``settings.GATEHOUSE``.
Every missing or malformed name is reported in one message, so that a first start needs one
correction and not ten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

Environment = Literal["development", "production", "test"]
Mode = Literal["demo", "real"]
Role = Literal["web", "build", "deploy", "ticker", "owner"]
Keys = dict[str, dict[str, str]]
Word = TypeVar("Word", bound=str)

MIN_SECRET_LENGTH: Final = 50


class EnvironmentIncomplete(Exception):
    """Raised at start-up with every name that is missing or malformed."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The environment of this process is not complete: " + "; ".join(problems))


@dataclass(frozen=True)
class Mail:
    """Where notices are sent to; an empty host prints them to the log."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    use_tls: bool
    sender: str


@dataclass(frozen=True)
class Checkpoints:
    """Where signed checkpoints of the history are put, outside the database, and how often."""

    directory: Path | None
    email: tuple[str, ...]
    git_url: str
    git_secret_file: Path | None
    git_known_host: str
    seconds: int


@dataclass(frozen=True)
class Env:
    """What this process was told by its environment, checked once."""

    env: Environment
    mode: Mode
    role: Role
    secret_key: str = field(repr=False)
    base_url: str
    host_names: tuple[str, ...]
    database_url: str = field(repr=False)
    owner_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    blobs_dir: Path
    mirrors_dir: Path
    git_hosts: tuple[str, ...]
    repository_roots: tuple[Path, ...]
    git_poll_seconds: int
    org_hosts: tuple[str, ...]
    calendar_hosts: tuple[str, ...]
    org_ca_file: Path | None
    public_keys: Keys
    private_keys: Keys = field(repr=False)
    mail: Mail
    checkpoints: Checkpoints
    trust_proxy: bool
    step_up_minutes: int
    board_delay_hours: int
    canary_hours: int
    sandbox_refresh_days: tuple[tuple[str, int], ...]
    log_level: str

    @property
    def production(self) -> bool:
        """Tell whether development switches are refused."""
        return self.env == "production"

    @property
    def secure(self) -> bool:
        """Tell whether people reach the site over https, so that cookies may demand it."""
        return self.base_url.startswith("https://")

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Env":
        """Read and check every name; raise ``EnvironmentIncomplete`` with all problems at once."""
        reader = _Reader(environ)
        env = cls(
            env=reader.choice("GATEHOUSE_ENV", get_args(Environment), "production"),
            mode=reader.choice("GATEHOUSE_MODE", get_args(Mode), "real"),
            role=reader.choice("GATEHOUSE_ROLE", get_args(Role)),
            secret_key=reader.secret("GATEHOUSE_SECRET_KEY"),
            base_url=reader.url("GATEHOUSE_BASE_URL", ("http://", "https://")).rstrip("/"),
            host_names=reader.words("GATEHOUSE_HOST"),
            database_url=reader.url("DATABASE_URL", ("postgresql://", "postgres://")),
            owner_database_url=reader.text("GATEHOUSE_OWNER_DATABASE_URL", ""),
            redis_url=reader.url("REDIS_URL", ("redis://", "rediss://", "unix://")),
            blobs_dir=Path(reader.text("GATEHOUSE_BLOBS_DIR")),
            mirrors_dir=Path(reader.text("GATEHOUSE_MIRRORS_DIR")),
            git_hosts=reader.words("GIT_HOSTS"),
            repository_roots=tuple(Path(root) for root in reader.words("REPOSITORY_ROOTS")),
            git_poll_seconds=reader.number("GIT_POLL_SECONDS", 30),
            org_hosts=reader.words("ORG_HOSTS"),
            calendar_hosts=reader.words("CALENDAR_HOSTS"),
            org_ca_file=reader.path("ORG_CA_FILE"),
            public_keys=reader.keys("GATEHOUSE_PUBLIC_KEYS_FILE"),
            private_keys=reader.keys("GATEHOUSE_PRIVATE_KEYS_FILE"),
            mail=reader.mail(),
            checkpoints=reader.checkpoints(),
            trust_proxy=reader.flag("GATEHOUSE_TRUST_PROXY"),
            step_up_minutes=reader.number("GATEHOUSE_STEP_UP_MINUTES", 10),
            board_delay_hours=reader.number("GATEHOUSE_BOARD_DELAY_HOURS", 24),
            canary_hours=reader.number("GATEHOUSE_CANARY_HOURS", 26),
            sandbox_refresh_days=reader.numbers("GATEHOUSE_SANDBOX_REFRESH_DAYS"),
            log_level=reader.choice(
                "GATEHOUSE_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"
            ),
        )
        reader.check(env)
        return env


class _Reader:
    """Read single names and collect what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value; a missing one without a default is a problem."""
        value = self._environ.get(name, "").strip()
        if value:
            return value
        if default is None:
            self._problems.append(f"{name} is missing")
            return ""
        return default

    def choice(self, name: str, allowed: tuple[Word, ...], default: Word | None = None) -> Word:
        """Return one of the allowed words."""
        value = self.text(name, default)
        for word in allowed:
            if value == word:
                return word
        if value:
            self._problems.append(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        return allowed[0]

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list separated by commas; empty when the name is missing."""
        return tuple(word.strip() for word in self.text(name, "").split(",") if word.strip())

    def flag(self, name: str) -> bool:
        """Return whether the value is "1"; only "0", "1" and nothing are understood."""
        return self.choice(name, ("0", "1"), "0") == "1"

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """Return an address that begins with one of the schemes."""
        value = self.text(name)
        if value and not value.startswith(schemes):
            self._problems.append(f"{name} must begin with {' or '.join(schemes)}")
        return value

    def secret(self, name: str) -> str:
        """Return a secret that is long enough to resist guessing."""
        value = self.text(name)
        if value and len(value) < MIN_SECRET_LENGTH:
            self._problems.append(f"{name} must have at least {MIN_SECRET_LENGTH} characters")
        return value

    def path(self, name: str) -> Path | None:
        """Return the path of a file that exists, or nothing when the name is missing."""
        value = self.text(name, "")
        if value and not Path(value).is_file():
            self._problems.append(f"{name} names a file that does not exist: {value}")
        return Path(value) if value else None

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit():
            self._problems.append(f"{name} must be a whole number, not {value!r}")
            return default
        return int(value)

    def numbers(self, name: str) -> tuple[tuple[str, int], ...]:
        """Return pairs such as ``full=29,developer=1``; empty when the name is missing."""
        found: list[tuple[str, int]] = []
        for pair in self.words(name):
            key, _, value = pair.partition("=")
            if not (value.isascii() and value.isdigit()):
                self._problems.append(f"{name} must be like full=29, not {pair!r}")
            else:
                found.append((key.strip(), int(value)))
        return tuple(found)

    def keys(self, name: str) -> Keys:
        """Return purpose -> key id -> base64 key from a JSON file; empty without the name."""
        path = self.path(name)
        if path is None or not path.is_file():
            return {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return {
                str(purpose): {str(key_id): str(key) for key_id, key in ring.items()}
                for purpose, ring in content.items()
            }
        except (OSError, ValueError, AttributeError) as problem:
            self._problems.append(f"{name} names a file that cannot be read as keys: {problem}")
            return {}

    def mail(self) -> Mail:
        """Return where notices go to."""
        return Mail(
            host=self.text("EMAIL_HOST", ""),
            port=self.number("EMAIL_PORT", 25),
            user=self.text("EMAIL_USER", ""),
            password=self.text("EMAIL_PASSWORD", ""),
            use_tls=self.flag("EMAIL_USE_TLS"),
            sender=self.text("EMAIL_FROM", "gatehouse@localhost"),
        )

    def checkpoints(self) -> Checkpoints:
        """Return where checkpoints go to."""
        directory = self.text("GATEHOUSE_CHECKPOINT_DIR", "")
        return Checkpoints(
            directory=Path(directory) if directory else None,
            email=self.words("GATEHOUSE_CHECKPOINT_EMAIL"),
            git_url=self.text("GATEHOUSE_CHECKPOINT_GIT_URL", ""),
            git_secret_file=self.path("GATEHOUSE_CHECKPOINT_GIT_SECRET_FILE"),
            git_known_host=self.text("GATEHOUSE_CHECKPOINT_GIT_KNOWN_HOST", ""),
            seconds=max(60, self.number("GATEHOUSE_CHECKPOINT_SECONDS", 3600)),
        )

    def check(self, env: Env) -> None:
        """Raise when anything was wrong, also between names."""
        if env.production and env.mode == "demo":
            self._problems.append("GATEHOUSE_MODE=demo is refused with GATEHOUSE_ENV=production")
        if env.production and any(_is_loopback(host) for host in env.org_hosts):
            self._problems.append("ORG_HOSTS names the simulator, refused in production")
        if self._problems:
            raise EnvironmentIncomplete(self._problems)


def _is_loopback(host: str) -> bool:
    """Tell whether "host:port" is on this machine, where only the simulator plays orgs."""
    name = host.rsplit(":", 1)[0]
    return name in {"localhost", "127.0.0.1"} or name.endswith(".localhost")
