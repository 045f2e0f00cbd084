"""The only files that use MLflow: runs are brought up to date from the store."""
