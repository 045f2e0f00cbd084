"""The scheduler and the execution of a stage, identical on Ray and in process."""
