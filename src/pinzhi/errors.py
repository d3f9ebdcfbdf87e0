"""Errors that a user can act on: what was expected, what was found, what to do next."""


class PinzhiError(Exception):
    """Base of every error that pinzhi raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 2


class UsageError(PinzhiError):
    """Options or arguments that do not fit together, or a missing file. Exit code 2."""


class InputError(PinzhiError):
    """A file, text or table that cannot be read as what it should be. Exit code 2."""


class BrandError(InputError):
    """A brand profile that breaks its schema; the message names file, line and field. Exit code 2."""


class ConfigError(PinzhiError):
    """A configuration file with unknown keys or values out of range. Exit code 2."""


class ModelError(PinzhiError):
    """A model that is missing, half written or not the one that was promoted. Exit code 3."""

    exit_code = 3


class StorageError(PinzhiError):
    """The output cannot be written: disk full, read-only, or another run holds it. Exit code 4."""

    exit_code = 4
