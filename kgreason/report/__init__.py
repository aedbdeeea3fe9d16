"""What was run, as pages, tables and sentences."""
