"""What an error is called on the command line, and the exit code it ends with."""

import errno

from pinzhi.cli.terminal import visible
from pinzhi.errors import InputError, PinzhiError, StorageError

BUG = 70  # EX_SOFTWARE of sysexits.h

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def explain(error: Exception) -> tuple[str, int]:
    """One line for people and the exit code. Control characters in file names and texts are made visible."""
    known = error if isinstance(error, PinzhiError) else _translate(error)
    if known is not None:
        return _line(f"pinzhi: {known}"), known.exit_code
    return _line(
        f"pinzhi: this is a fault of pinzhi, not of your input: {type(error).__name__}: {error}; "
        "run the command again with PINZHI_DEBUG=1 and report what it prints"
    ), BUG


def _translate(error: Exception) -> PinzhiError | None:
    """The error of ours that an error of the system stands for; None when it is a fault in the program."""
    if isinstance(error, MemoryError):
        return StorageError("expected enough memory to go on, found none left; close other programs and run it again")
    if not isinstance(error, OSError):
        return None
    if isinstance(error, _ABSENT):
        # Arrow gives no file name, and not always a number: the path is all that it says, or part of its sentence.
        at, found = (error, "none") if error.filename is None else (error.filename, error.strerror)
        return InputError(f"{at}: expected a readable file, found {found}; check the path")
    where = error.filename if error.filename is not None else "the output folder"
    if error.errno in _FULL:
        return StorageError(
            f"{where}: expected room to write, found the disk full; free some space and run the same command again, "
            "it goes on where it stopped"
        )
    if error.errno in _CLOSED:
        return StorageError(
            f"{where}: expected to be allowed to use it, found it read-only or closed to this user; "
            "change its permissions or name another folder"
        )
    return StorageError(f"{where}: {error.strerror or error}; check the disk and run the same command again")


def _line(text: str) -> str:
    return visible(" ".join(text.split()))
