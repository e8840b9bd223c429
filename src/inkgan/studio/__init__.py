"""The studio: a web application that starts, watches and steers training. Nothing imports it."""
