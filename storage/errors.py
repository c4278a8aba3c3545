"""What can go wrong with the database, each said in one sentence that a person can act on."""


class StorageError(Exception):
    """The database cannot do what was asked of it."""


class SchemaTooNewError(StorageError):
    """The database was written by a newer release."""


class LockHeldError(StorageError):
    """Another process holds this lock."""


class KeyTakenError(StorageError):
    """A row with this key is there already."""


class UnknownModelError(StorageError):
    """No model has this id."""


class UnknownAnomalyError(StorageError):
    """This host has no such anomaly, or no such maintenance."""
