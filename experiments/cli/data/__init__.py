"""`ssdpipe data`: check, show, shard, download, link."""
