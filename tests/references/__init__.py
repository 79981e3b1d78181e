"""What losses and metrics are compared with: the values of other libraries, in one table a kind."""
