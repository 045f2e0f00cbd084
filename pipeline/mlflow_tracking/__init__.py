"""The only files that know MLflow: runs brought up to date from the store."""
