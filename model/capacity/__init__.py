"""Exhausted capacity: prediction of full file systems and memory."""
