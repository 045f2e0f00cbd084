"""Error analysis as defined by the tool of Hoiem, Chodpathumwan and Dai (ECCV 2012); the paper's Figures 3, 4 and 6."""
