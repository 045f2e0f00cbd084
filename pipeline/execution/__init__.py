"""The scheduler, and a stage at work; the same on Ray and in process."""
