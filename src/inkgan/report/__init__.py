"""Pictures and pages about runs, for people."""
