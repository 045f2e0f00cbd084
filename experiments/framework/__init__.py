"""Turns experiments into graphs: runs, presets, setups, rows."""
