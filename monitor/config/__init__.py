"""Configuration: the keys of config.toml, their reader and their reference."""
