"""Commands, one file each, in one package per section of the help; `monitor.cli.root` lists them."""
