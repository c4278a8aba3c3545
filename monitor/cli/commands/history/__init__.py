"""Commands that move history in and out of the database."""
