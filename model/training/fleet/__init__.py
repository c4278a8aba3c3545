"""Training for many hosts: a pooled model of all hosts, and own models of single hosts."""
