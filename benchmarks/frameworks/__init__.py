"""The same networks and update schemes in other frameworks, each in an environment of its own."""
