"""Parts of the analysis that judge each detection: TIDE's errors, curves, calibration, suspect annotations."""
