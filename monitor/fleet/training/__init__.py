"""Training of a fleet: tasks of single hosts, and what runs them."""
