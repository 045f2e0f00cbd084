"""Why detections fail, as defined by the tool of Hoiem, Chodpathumwan and Dai (ECCV 2012); Figures 3, 4 and 6."""
