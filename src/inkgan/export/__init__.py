"""A trained generator out of Python: to ship, to other runtimes, to the hub, into a browser."""
