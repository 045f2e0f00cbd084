"""The only files that know Ray: the session, the executor, workers, a parallel map."""
