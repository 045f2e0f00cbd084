"""Downloads that resume and are verified, archives, links to what is on disk."""
