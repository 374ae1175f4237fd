"""SQLite below everything: one connection, one lock, contents kept once by their SHA-256."""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator import ids
from simulator.sure import sure

SCHEMA = Path(__file__).with_name("schema.sql")
Row = sqlite3.Row


class Store:
    """Keep the state of all orgs in one SQLite file below the given directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(
            directory / "state.sqlite3", check_same_thread=False, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row
        self._depth = 0
        self._connection.execute("pragma journal_mode = wal")
        # A killed process loses nothing in WAL mode; only a power cut may lose the last writes.
        self._connection.execute("pragma synchronous = off")
        self._connection.executescript(SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and make everything inside one transaction; nested ones join."""
        with self.lock:
            if self._depth:
                yield
                return
            self._depth = 1
            self._connection.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            else:
                self._connection.execute("commit")
            finally:
                self._depth = 0

    def run(self, sql: str, *values: Any) -> int:
        """Execute one writing statement and return how many rows it touched."""
        with self.transaction():
            return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """Return all rows of a query."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        """Return the first row of a query, or None."""
        with self.lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def new_id(self, prefix: str) -> str:
        """Return the next record id below the prefix."""
        return ids.numbered(prefix, self.next_number(prefix))

    def next_number(self, name: str) -> int:
        """Count up the named series and return its new value."""
        with self.transaction():
            self._connection.execute(
                "insert into serial (prefix, last) values (?, 1)"
                " on conflict (prefix) do update set last = last + 1",
                (name,),
            )
            row = self.row("select last from serial where prefix = ?", name)
        return int(sure(row, "the statement above made it")["last"])

    def put(self, content: bytes) -> str:
        """Keep the content and return its hex SHA-256; the same content is kept once."""
        sha = hashlib.sha256(content).hexdigest()
        self.run("insert or ignore into blob (sha, content) values (?, ?)", sha, content)
        return sha

    def get(self, sha: str) -> bytes:
        """Return kept content; KeyError when there is none."""
        row = self.row("select content from blob where sha = ?", sha)
        if row is None:
            raise KeyError(sha)
        return bytes(row["content"])

    def put_json(self, value: Any) -> str:
        """Keep a JSON value as content and return its hash."""
        return self.put(json.dumps(value, separators=(",", ":")).encode())

    def get_json(self, sha: str) -> Any:
        """Return a JSON value kept by put_json."""
        return json.loads(self.get(sha))

    def setting(self, name: str, default: str = "") -> str:
        """Return a named setting."""
        row = self.row("select value from setting where name = ?", name)
        return default if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Keep a named setting."""
        self.run("insert or replace into setting (name, value) values (?, ?)", name, value)
