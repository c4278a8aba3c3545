"""Commands: one module per command, one package per section of the help.

The table `COMMAND_MODULES` in monitor/cli/root.py lists all commands.
"""
