"""The commands that search over settings: `bisect` and `tune`."""
