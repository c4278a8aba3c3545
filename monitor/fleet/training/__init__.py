"""Training of a fleet: tasks of single hosts, and the processes and machines that run them."""
