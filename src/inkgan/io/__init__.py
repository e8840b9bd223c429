"""What a run leaves on disk: bundles, checkpoints, run folders."""
