"""What people do with alarms: each command one transaction with its audit rows, never carried out twice."""
