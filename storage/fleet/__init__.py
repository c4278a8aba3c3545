"""Fleet storage: hosts, newest predictions, warnings and hourly score totals of one fleet process."""
