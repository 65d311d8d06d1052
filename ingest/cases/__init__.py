"""Cases: the closed loop from finding to closing (ALARMS §5), beside the alarms and in their database."""
