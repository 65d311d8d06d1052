"""What a city would pick instead, each written the plain way."""
