"""The texts of sequences: random digits, patterns, or texts of one's own."""
