"""Features of many hosts in one pass: arrays with a hosts axis, bit-identical to those of a single host."""
