"""One file a revision. A released revision is never edited: databases out there were made by it."""
