"""Drawing images from a trained generator."""
