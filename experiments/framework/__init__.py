"""From an experiment to its graph: runs, presets, setups, rows."""
