"""Reports for people: each says once what is told, for a terminal, a pipe or a mail."""
