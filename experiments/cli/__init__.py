"""The command `ssdpipe`: one file for each command."""
