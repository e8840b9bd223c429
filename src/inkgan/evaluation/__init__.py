"""Evaluation of images and generators: from a source to a report with baselines."""
