"""Back-tests on the store's history: months of readings judged column by column, where one sample says all."""
