"""What is found out about prepared data: leaks, duplicates, imbalance, outliers; one module a kind of content."""
