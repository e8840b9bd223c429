"""Someone's digits on a picture, and more digits in that hand."""
