"""The command line: a thin command for each verb, heavy imports inside the functions."""
