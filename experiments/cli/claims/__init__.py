"""The command `claims`, and its verdicts as text and JSON."""
