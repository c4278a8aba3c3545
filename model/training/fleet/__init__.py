"""Training for many hosts: a pooled model, and own models of single hosts."""
