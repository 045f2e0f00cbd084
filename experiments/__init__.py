"""What a person can ask for: one file, one question of the paper."""
