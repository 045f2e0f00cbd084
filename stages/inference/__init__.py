"""Detection in the user's own pictures: reading them, results that draw and convert themselves, files, a page."""
