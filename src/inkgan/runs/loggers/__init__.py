"""Where a run sends its numbers and pictures beside its own folder: one module for each logger."""
