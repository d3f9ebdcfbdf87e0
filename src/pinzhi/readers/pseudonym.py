"""Commenters without their names: a keyed hash that joins one person's comments and leads back to nobody."""

import hashlib
import os
from pathlib import Path

from pinzhi.errors import StorageError


class Pseudonymiser:
    """Keyed BLAKE2b; whoever lacks the key cannot test a guess. The key never goes into the output."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def id(self, platform: str, raw: str) -> str:
        """Pseudonym of an author id: `a_` and 16 hex digits."""
        return (
            "a_"
            + hashlib.blake2b(f"{platform}/{raw}".encode("utf-8", "replace"), key=self._key, digest_size=8).hexdigest()
        )

    def name(self, raw: str) -> str:
        """A display name of which one character stays."""
        return f"{raw[:1]}***" if raw else ""


def key_path() -> Path:
    """Where the key is kept: PINZHI_KEY_FILE, or the user's configuration folder."""
    named = os.environ.get("PINZHI_KEY_FILE")
    return Path(named) if named else Path.home() / ".config" / "pinzhi" / "pseudonym.key"


def load_key(fresh: bytes | None = None) -> bytes:
    """The key, made at first use (32 random bytes, or `fresh`), readable by its owner alone. Raises StorageError."""
    path = key_path()
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(fresh or os.urandom(32))
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{path}: the pseudonym key cannot be read or made ({error.strerror}); "
            "name a writable file in PINZHI_KEY_FILE, or use --keep-authors"
        ) from error
    if len(key) < 16:
        raise StorageError(f"{path}: expected a key of at least 16 bytes, found {len(key)}; restore it or remove it")
    return key[:64]
