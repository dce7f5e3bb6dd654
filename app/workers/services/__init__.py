"""Services that workers share."""
