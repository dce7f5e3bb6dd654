"""Redis on several servers: a Cluster, or a primary that Sentinels watch."""
