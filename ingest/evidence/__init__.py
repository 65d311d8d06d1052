"""The evidence of one alarm: what is still there of it, gathered into a file that shows when it was altered."""
