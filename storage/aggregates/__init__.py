"""Aggregates: sums, counts and extremes of the rows of each five minutes.

The aggregates of an hour are stored with its block, in the same transaction, and deleted with it: those of an hour
whose rows change are computed from its rows again. Stored and computed aggregates are equal bit for bit, because one
function computes both from the same rows.
"""
