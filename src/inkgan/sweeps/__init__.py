"""Sweeps: search a recipe's settings for the best score, with Optuna."""
