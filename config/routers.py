"""Which connection may change the schema: the owner's, and no other."""

from typing import Any


class OwnerMigrates:
    """Let only the alias ``owner`` migrate; processes work on ``default`` in their own role."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Refuse migrations on every connection but the owner's."""
        return db == "owner"

    def allow_relation(self, first: object, second: object, **hints: Any) -> bool:
        """Both aliases are one database, so rows of both may refer to each other."""
        return True
