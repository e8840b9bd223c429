"""One judgement from a source to a report: draws, assesses, keeps, writes; no mathematics."""
