"""What must hold when something breaks, each line with a fault that is really made."""
