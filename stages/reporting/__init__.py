"""The report page of an experiment, rendered from given data without store, clock or network."""
