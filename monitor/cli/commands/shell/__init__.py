"""Commands for the shell: help, completion, shipped files."""
