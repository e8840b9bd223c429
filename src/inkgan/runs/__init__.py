"""One training run, from a recipe to a folder of checkpoints and pictures."""
