"""Damaged and hostile inputs for every reader: by the dozen in CI, for an hour by hand."""
