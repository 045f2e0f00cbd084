"""`ssdpipe doctor`: whether this machine and its services are ready, each with its remedy."""
