"""Golden fixtures: tiny pipelines with seeded random weights, and the reference's results for them."""
