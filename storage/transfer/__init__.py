"""Transfer: copy of all rows of one database into another, of either kind."""

from storage.transfer.copying import TableCopy, TargetNotEmptyError, VerificationError, copy_database

__all__ = ["TableCopy", "TargetNotEmptyError", "VerificationError", "copy_database"]
