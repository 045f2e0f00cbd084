"""Commands on the store itself: verify its results, show what fills it, collect what nothing needs."""
