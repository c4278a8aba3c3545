"""Forecasts of many hosts in one pass: arrays with a hosts axis."""
