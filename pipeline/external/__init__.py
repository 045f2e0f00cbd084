"""What plans remember about data sets on disk: stamps of files, and answers cached while the files are unchanged."""
