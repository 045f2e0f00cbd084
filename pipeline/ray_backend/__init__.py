"""The only files that use Ray: the session, the executor, workers, a parallel map."""
