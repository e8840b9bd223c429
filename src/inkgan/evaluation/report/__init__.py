"""Pages and charts that show an evaluation, a comparison, a leaderboard."""
