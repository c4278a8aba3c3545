"""Blocks: compressed rows of whole hours, read and written like the rows that they replace.

An hour of a time series has either rows or a block:

- `Compactor` replaces the rows of old hours by blocks, one hour per transaction.
- Repositories read both, in order of time, and return the same from either.
- Before rows of an hour are changed or deleted one by one, its block is replaced by its rows again
  (`expand_hours`), in the same transaction. `insert_new_rows` inserts nothing into an hour with a block, so that it
  is expanded first. A later compaction compresses the hour again.

A block holds the columns of one hour, each compressed exactly, with a CRC-32. A damaged block is counted like a
damaged row and left out.
"""

from storage.blocks.compaction import COMPACTED_TABLES, CompactedHour, Compactor

__all__ = ["COMPACTED_TABLES", "CompactedHour", "Compactor"]
