"""Statistics of metrics: intervals."""
