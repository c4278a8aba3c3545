"""Fleet process: samples, predictions, warnings and scores of many hosts, step by step."""
