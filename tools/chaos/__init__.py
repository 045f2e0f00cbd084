"""Kill a real command at seeded moments, repeat it, and compare its results with those of an undisturbed run."""
