"""Committed results, leases, event logs and records on any pyarrow file system."""
