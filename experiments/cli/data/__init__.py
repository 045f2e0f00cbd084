"""`ssdpipe data`: check, show, convert, shard, download, link."""
