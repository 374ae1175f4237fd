"""States of a SandboxProcess: one code in the store and in WHERE, a translated label in answers.

D and E are the codes that the official command line compares with; the digits are used by tools as
"in flight" (0, 2, 3, 4, 5), but which is which is published nowhere: the order here is a guess.
"""

PENDING = "0"
COMPLETED = "1"
PROCESSING = "2"
SAMPLING = "3"
PENDING_ACTIVATION = "4"
ACTIVATING = "5"
DISCARDING = "6"
DISCARDED = "7"
DELETED = "D"
DELETING = "E"
IN_FLIGHT = (PENDING, PROCESSING, SAMPLING, PENDING_ACTIVATION, ACTIVATING, DISCARDING, DELETING)

_CODES = (PENDING, COMPLETED, PROCESSING, SAMPLING, PENDING_ACTIVATION, ACTIVATING, DISCARDING,
          DISCARDED, DELETED, DELETING)  # fmt: skip
_LABELS = {
    "en": ("Pending", "Completed", "Processing", "Sampling", "Pending Activation", "Activating",
           "Discarding", "Discarded", "Deleted", "Deleting"),
    "ja": ("待機中", "完了", "処理中", "サンプリング中", "有効化待ち", "有効化中",
           "破棄中", "破棄済み", "削除済み", "削除中"),
    "de": ("Ausstehend", "Abgeschlossen", "In Bearbeitung", "Stichprobe", "Aktivierung ausstehend",
           "Wird aktiviert", "Wird verworfen", "Verworfen", "Gelöscht", "Wird gelöscht"),
}  # fmt: skip


def labels(language: str) -> dict[str, str]:
    """Return the labels in a language (en_US, ja, de); others are shown in English."""
    words = _LABELS.get(language.split("_")[0].lower(), _LABELS["en"])
    return dict(zip(_CODES, words, strict=True))
