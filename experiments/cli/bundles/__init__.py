"""The commands `bundle` and `verify`: an experiment's results in one archive, and what they are worth elsewhere."""
