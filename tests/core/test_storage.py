"""Blobs on disk, sealed credentials, key files."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from core import blobs, keyring, sealing, unsealing
from core.errors import Conflict, ExternalFault, NotNow

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {"BACKEND": "core.blobs.BlobDirectory", "OPTIONS": {"location": tmp_path}},
    }
    return tmp_path


def path_of(store: Path, hexsha: str) -> Path:
    return store / hexsha[:2] / hexsha


def test_a_blob_is_named_by_its_content_and_read_back(store: Path) -> None:
    hexsha = blobs.put(b"content")
    assert hexsha == hashlib.sha256(b"content").hexdigest()
    assert blobs.get(hexsha) == b"content"
    assert path_of(store, hexsha).read_bytes() == b"content"


def test_storing_the_same_bytes_again_writes_nothing(store: Path) -> None:
    path = path_of(store, blobs.put(b"content"))
    before = path.stat().st_mtime_ns, path.stat().st_ino
    blobs.put(b"content")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_flipped_bit_is_found_before_the_bytes_are_used(store: Path) -> None:
    hexsha = blobs.put(b"content")
    path_of(store, hexsha).write_bytes(b"contenu")
    with pytest.raises(ExternalFault) as caught:
        blobs.get(hexsha)
    assert caught.value.code == "blob.corrupt"


def test_a_missing_blob_is_told_apart_from_a_corrupt_one(store: Path) -> None:
    with pytest.raises(ExternalFault) as caught:
        blobs.get("0" * 64)
    assert caught.value.code == "blob.missing"


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 63, "G" * 64, "", "0" * 64 + "/x"])
def test_a_name_that_is_no_hash_reaches_no_file(store: Path, name: str) -> None:
    with pytest.raises(ValueError, match="64"):
        blobs.get(name)
    with pytest.raises(SuspiciousFileOperation):
        blobs.BlobDirectory(store).exists(name)


def test_a_failed_write_leaves_nothing_behind(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        blobs.put(b"content")
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_the_store_knows_the_size_of_a_blob(store: Path) -> None:
    directory = blobs.BlobDirectory(store)
    hexsha = hashlib.sha256(b"12345").hexdigest()
    assert directory.save(hexsha, ContentFile(b"12345")) == hexsha
    assert directory.size(hexsha) == 5


@pytest.fixture
def keys(settings: Any) -> dict[str, keyring.Keys]:
    public, private = keyring.generate()
    settings.SEALING_PUBLIC_KEYS = public
    settings.SEALING_PRIVATE_KEYS = private["deploy"] | private["build"]
    return private


@pytest.mark.parametrize("purpose", sorted(keyring.PURPOSES))
def test_what_is_sealed_for_a_purpose_opens_for_it(keys: Any, purpose: str) -> None:
    payload = {"host": "x.my.salesforce.com", "secret": "ü" * 100, "environment": 7}
    sealed = sealing.seal(purpose, payload)
    assert unsealing.unseal(purpose, sealed.key_id, sealed.ciphertext) == payload
    assert b"x.my.salesforce.com" not in sealed.ciphertext


@pytest.mark.usefixtures("keys")
def test_sealing_the_same_twice_gives_different_boxes() -> None:
    assert sealing.seal("git", {"a": 1}).ciphertext != sealing.seal("git", {"a": 1}).ciphertext


@pytest.mark.usefixtures("keys")
def test_any_flipped_bit_breaks_the_box() -> None:
    sealed = sealing.seal("git", {"token": "secret"})
    for place in range(0, len(sealed.ciphertext), 7):
        broken = bytearray(sealed.ciphertext)
        broken[place] ^= 1
        with pytest.raises(ExternalFault) as caught:
            unsealing.unseal("git", sealed.key_id, bytes(broken))
        assert caught.value.code == "sealing.broken"


def test_a_box_moved_to_another_purpose_does_not_open(settings: Any, keys: Any) -> None:
    sealed = sealing.seal("org-sandbox", {"secret": "s"})
    settings.SEALING_PRIVATE_KEYS = {"org-production": settings.SEALING_PRIVATE_KEYS["org-sandbox"]}
    with pytest.raises(ExternalFault) as caught:
        unsealing.unseal("org-production", sealed.key_id, sealed.ciphertext)
    assert caught.value.code == "sealing.broken"


def test_a_worker_without_the_key_opens_nothing(settings: Any, keys: Any) -> None:
    sealed = sealing.seal("org-production", {"secret": "s"})
    settings.SEALING_PRIVATE_KEYS = keys["build"]
    with pytest.raises(ExternalFault) as caught:
        unsealing.unseal("org-production", sealed.key_id, sealed.ciphertext)
    assert caught.value.code == "sealing.no_key"


def test_without_a_public_key_nothing_is_stored(settings: Any) -> None:
    settings.SEALING_PUBLIC_KEYS = {}
    with pytest.raises(NotNow) as caught:
        sealing.seal("git", {"token": "secret"})
    assert caught.value.code == "sealing.no_key"


def test_the_newest_public_key_is_the_one_to_seal_with(settings: Any, keys: Any) -> None:
    old = settings.SEALING_PUBLIC_KEYS["git"]
    key = next(iter(old.values()))
    settings.SEALING_PUBLIC_KEYS = {"git": {"20990101T000000Z-ff": key, **old}}
    assert sealing.seal("git", {}).key_id == "20990101T000000Z-ff"


def test_each_worker_gets_only_the_keys_of_its_purposes(tmp_path: Path) -> None:
    call_command("keys", dir=tmp_path / "keys", stdout=io.StringIO())
    held = {path.stem: set(json.loads(path.read_text())) for path in (tmp_path / "keys").iterdir()}
    assert held == {
        "public": {"org-production", "org-sandbox", "git", "history"},
        "deploy": {"org-production", "org-sandbox"},
        "build": {"git", "history"},
    }


def test_private_key_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    modes = {path.stem: path.stat().st_mode & 0o777 for path in keyring.write(tmp_path / "keys")}
    assert modes["deploy"] == modes["build"] == 0o600


def test_keys_are_never_replaced(tmp_path: Path) -> None:
    keyring.write(tmp_path)
    before = (tmp_path / "deploy.json").read_bytes()
    with pytest.raises(Conflict):
        keyring.write(tmp_path)
    with pytest.raises(CommandError, match="There are keys already"):
        call_command("keys", dir=tmp_path)
    assert (tmp_path / "deploy.json").read_bytes() == before


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_any_payload_comes_out_as_it_went_in(payload: dict[str, str]) -> None:
    public, private = keyring.generate()
    with override_settings(SEALING_PUBLIC_KEYS=public, SEALING_PRIVATE_KEYS=private["build"]):
        sealed = sealing.seal("git", payload)
        assert unsealing.unseal("git", sealed.key_id, sealed.ciphertext) == payload
