"""The readers under test; every module here is imported by `harness.load_readers`."""
