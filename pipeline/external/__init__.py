"""What plans remember of data sets on disk: stamps of files, and answers kept while these stay unchanged."""
