"""Charts and drawings that several stages share."""
