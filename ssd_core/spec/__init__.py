"""Specifications: detector, recipe, augmentation, schedule, class lists; the paper's values and small variants."""
