"""Commands for the stored history: import, export, purge."""
