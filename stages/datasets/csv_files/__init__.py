"""Reader of CSV files of boxes beside their images."""
