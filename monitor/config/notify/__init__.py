"""Section [notify]: channels of the notifications."""
