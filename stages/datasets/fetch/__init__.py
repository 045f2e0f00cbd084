"""Get published data sets: verified downloads that resume, archives, and links to copies on disk."""
