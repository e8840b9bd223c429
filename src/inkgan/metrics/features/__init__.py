"""The networks whose features the metrics compare, and how they are fitted."""
