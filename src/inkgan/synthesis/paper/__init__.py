"""What paper, pen, light and camera do to a sequence, with its boxes and masks moved along."""
