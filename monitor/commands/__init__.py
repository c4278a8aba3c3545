"""What each command does. Each imports what it needs when it runs, so that `--help` costs nothing."""
