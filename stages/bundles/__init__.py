"""Results in one archive: the archive itself, annotations without images, results as they were archived."""
