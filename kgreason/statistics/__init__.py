"""Is one variant better than another, by how much, and could this test have shown it? Numbers in, numbers out."""
