"""From a recipe and batches to trained weights; no files, no printing."""
