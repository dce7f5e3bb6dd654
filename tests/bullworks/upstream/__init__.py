"""What another release of npm bullmq changes for us: `make upstream VERSION=6.5.4`."""
