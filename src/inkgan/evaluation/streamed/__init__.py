"""Evaluation of any number of images in constant memory: sums over parts, and a fixed sample."""
