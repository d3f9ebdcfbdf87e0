"""Commenters without their names: a keyed hash that joins one person's comments and leads back to nobody."""

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pinzhi.errors import StorageError

KEY_BYTES = 32
_PSEUDONYM = re.compile(r"a_[0-9a-f]{16}")
_PAIR = re.compile(r"(?<![0-9])[0-9]{5,12}_[0-9]{5,12}(?![0-9])")  # two people in one id: who follows whom
_MASKED = "***"

# Fields that name a person, in every format that is read; their values never reach a reject.
AUTHOR_FIELDS = frozenset({
    "author_id", "author_name", "user_id", "user_name", "user_nickname", "user_link", "user_avatar",
    "user_url_token", "user_unique_id", "user_signature", "user_screen_name", "user_avatar_url", "nickname",
    "nick_name", "screen_name", "sec_uid", "short_user_id", "creator_hash", "avatar", "avatar_url", "avatar_hd",
    "profile_url", "profile_image_url", "main_page_url", "url_token", "sign", "bio", "ip_location", "昵称", "用户id",
    "用户昵称", "源用户id", "源用户昵称", "主页", "头像", "高清头像", "fan_id", "fan_name", "fan_sign", "fan_avatar", "up_id", "up_name",
    "user", "comment_user", "fan_info", "follower_info", "uid", "name_show", "portrait",
    "UID", "账号UID", "SEC_UID", "SHORT_ID", "short_id", "昵称昵称", "账号昵称", "账号签名", "账号链接", "抖音号", "头像链接", "背景图链接",
    "作者昵称", "作者ID", "作者链接", "用户名", "用户主页url", "头像url", "小红书号", "home_url", "red_id", "IP归属地", "ip归属地", "ip地址",
    "openid", "logo_url", "ip_wording", "mid_hash", "uin", "nick", "name", "rt_uin", "rt_uinname", "authorId", "authorName",
    "guestId", "guestName", "headPic", "rootUid", "rootUname", "creator", "comment_author", "comment_author_email",
    "comment_author_url", "comment_author_IP",
})  # fmt: skip
_TEXT = r"\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)"
_OBJECT = rf"\{{(?:[^{{}}\"]|{_TEXT}|\{{(?:[^{{}}\"]|{_TEXT})*+(?:\}}|\Z))*+(?:\}}|\Z)"  # with one more within it

_D = "[0-9０-９]"
_NO_D = f"(?!{_D})"
_GAP = r"[-－–—.· \u200b]"
_AREA = r"(?:[0０][1１][0０]|[0０][2２][0-9０-９]|[0０][3-9３-９][0-9０-９]{2})"
_MOBILE = rf"[1１][3-9３-９]{_D}"
_PRIVATE = re.compile(
    r"(?P<url>(?:https?://|www\.|t\.cn/)[!-~]+)"  # whatever numbers it holds
    r"|(?<![A-Za-z0-9._%+-])(?P<mail>[A-Za-z0-9._%+-]{1,64}[@＠][A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.(?!(?:png|jpe?g|gif|webp)\b)[A-Za-z]{2,12})"
    rf"|(?<!{_D})(?P<identity>[1-8１-８]{_D}{{5}}(?:19|20){_D}{{9}}[0-9０-９XxＸｘ]){_NO_D}"
    # eleven digits in one, or parted twice in the same way; by spaces only behind a word that says what they are
    rf"|(?P<phone>(?<!{_D})(?:(?:\+|00)86{_GAP}?)?(?:{_MOBILE}{_D}{{8}}|{_MOBILE}(?P<gap>[-－–—.·\u200b]){_D}{{4}}(?P=gap){_D}{{4}}|{_MOBILE}\u200b{_D}{{8}})"
    rf"|(?<=[机话系信电A-Za-z:：]){_GAP}?{_MOBILE} {_D}{{4}} {_D}{{4}}|\+86 {_MOBILE} {_D}{{4}} {_D}{{4}}"
    rf"|(?<![A-Za-z.．0-9０-９]){_AREA}[-－ ]?{_D}{{3,4}}[-－ ]{_D}{{4}}|(?<![A-Za-z.．0-9０-９]){_AREA}[-－]{_D}{{7,8}}|[(（]{_AREA}[)）] ?{_D}{{7,8}}){_NO_D}"
)
_HIDDEN = {"mail": "[邮箱]", "identity": "[证件号]", "phone": "[电话]"}
_WEIGHTS = bytes.fromhex("07090a0508040201060307090a05080402")  # GB 11643: what tells an identity number from any other
_MAY_BE = re.compile(rf"[@＠]|{_D}(?:[^0-9０-９]{{0,2}}{_D}){{6}}")  # without which nothing private is there


def mask_private(text: str) -> str:
    """`text` with e-mail addresses, identity numbers and telephone numbers replaced by a code that says what stood there.
    Numbers of companies (400, 800) and what stands in addresses of the web stay."""
    return _PRIVATE.sub(_hidden, text) if _MAY_BE.search(text) else text


def _hidden(found: re.Match[str]) -> str:
    kind = next(name for name in ("url", "mail", "identity", "phone") if found[name] is not None)
    if kind == "url" or (kind == "identity" and not _is_identity(found[0])):
        return found[0]
    return _HIDDEN[kind]


def _is_identity(number: str) -> bool:
    """Whether month, day and check digit are those of an identity number."""
    month, day = int(number[10:12]), int(number[12:14])
    check = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11
    last = 10 if number[17] in "XxＸｘ" else int(number[17])
    return 1 <= month <= 12 and 1 <= day <= 31 and (12 - check) % 11 == last


class Pseudonymiser:
    """Keyed BLAKE2b; whoever lacks the key cannot test a guess. The key never goes into the output."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def id(self, platform: str, raw: str) -> str:
        """Pseudonym of an author id: `a_` and 16 hex digits; what is one already stays, so that reading again changes
        nothing."""
        if _PSEUDONYM.fullmatch(raw):
            return raw
        named = f"{platform}/{raw}".encode("utf-8", "replace")
        return "a_" + hashlib.blake2b(named, key=self._key, digest_size=8).hexdigest()

    def made(self, raw: str) -> str:
        """An id that a reader made of what a record says, so that nobody can try who might have said it."""
        return "x_" + hashlib.blake2b(raw.encode("utf-8", "replace"), key=self._key, digest_size=8).hexdigest()

    def name(self, raw: str) -> str:
        """A display name of which one character stays."""
        return f"{raw[:1]}{_MASKED}" if raw else ""


class Redactor:
    """Hides the values of fields that name a person: AUTHOR_FIELDS and `more`, which a user has named."""

    def __init__(self, more: frozenset[str] = frozenset()) -> None:
        self.fields = AUTHOR_FIELDS | more
        names = "|".join(map(re.escape, sorted(self.fields)))
        self._in_json = re.compile(  # an object that is deeper yet, or broken, hides all that follows
            rf"(\"(?:{names})\"\s*:\s*)({_TEXT}|{_OBJECT}|\{{.*|[^\s,}}\]\"]+)", re.DOTALL
        )

    def record(self, data: dict[str, Any]) -> dict[str, Any]:
        """A raw record whose author fields are masked, at every depth."""
        return {key: _MASKED if key in self.fields and value else self._value(value) for key, value in data.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.record(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return _MASKED if isinstance(value, str) and _PAIR.fullmatch(value) else value

    def text(self, text: str) -> str:
        """A broken piece of JSON whose author fields are masked."""
        return _PAIR.sub(_MASKED, self._in_json.sub(rf'\1"{_MASKED}"', text))

    def cells(self, cells: Sequence[str], header: Sequence[str]) -> list[str]:
        """Cells that do not match their header: those that may hold an author's field are masked.

        Cells may be missing before an author's cell, so as many columns to its left are masked too.
        """
        named = [at for at, column in enumerate(header) if column in self.fields]
        if not named:
            return list(cells)
        first = named[0] - max(0, len(header) - len(cells))
        return [cell if at < first or not cell else _MASKED for at, cell in enumerate(cells)]


def key_path() -> Path:
    """Where the key is kept: PINZHI_KEY_FILE, or the user's configuration folder."""
    named = os.environ.get("PINZHI_KEY_FILE")
    return Path(named) if named else Path("~/.config/pinzhi/pseudonym.key").expanduser()


def load_key(fresh: bytes | None = None) -> bytes:
    """The key, made at first use (32 random bytes, or `fresh`), readable by its owner alone. Raises StorageError."""
    path = key_path()
    try:
        if not path.exists():
            _create(path, fresh or os.urandom(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{path}: expected a pseudonym key that can be read or made, found none ({error.strerror}); "
            "name a writable file in PINZHI_KEY_FILE, or use --keep-authors"
        ) from error
    if len(key) < 16:
        raise StorageError(
            f"{path}: expected a key of at least 16 bytes, found {len(key)}; restore it, or remove it to make a new one"
        )
    return key[: hashlib.blake2b.MAX_KEY_SIZE]


def _create(path: Path, key: bytes) -> None:
    """Write the key whole or not at all; of two processes that try at once, the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink(missing_ok=True)
