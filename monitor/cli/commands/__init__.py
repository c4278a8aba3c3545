"""Commands: one module per command, one package per section of the help."""
