"""Error analysis by Hoiem et al. (ECCV 2012; Figures 3, 4 and 6) and TIDE, curves, calibration, suspect annotations."""
