"""Redis Cluster and Sentinel: real groups of servers on loopback, whose primaries are killed."""
