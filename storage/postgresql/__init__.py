"""PostgreSQL: addresses, sessions, locks and leases of databases on a server.

Only a URL that begins with `postgresql` loads the driver, psycopg 3. Each host has a schema of its own, with the
tables of `storage.schema`.
"""
