"""Steps: work of a job that is done once, and what a job waits for between them."""
