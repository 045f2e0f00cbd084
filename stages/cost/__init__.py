"""What a run will take: arithmetic, time, disk."""
