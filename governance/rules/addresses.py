"""E-mail addresses: one way to write each, and which of them lead to one mailbox."""

from __future__ import annotations

import unicodedata


def written(text: str) -> str:
    """Write an address as it is stored: lower case, without look-alikes of its characters.

    Full-width letters and the like become the ordinary ones, and a domain is written as the mail
    system writes it (IDNA), so that one mailbox cannot have two accounts by its spelling.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    local, at, domain = plain.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii').lower()}"
    except UnicodeError:
        return plain


def mailbox(address: str) -> str:
    """Return the mailbox of a written address: what stands behind a plus only sorts the mail."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
